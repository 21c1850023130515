import { NOTE_CODES } from "../src/generate/draft.ts";

/** docs/generate-notes.md: every note that a generator can give. */
export function notesPage(): string {
  const rows = Object.entries(NOTE_CODES).map(([code, meaning]) => `| \`${code}\` | ${meaning} |`);
  return `${[
    "# Notes of the generators",
    "",
    "Made by `npm run generate`. What a target cannot do, or does more weakly than the policies say. A note that is an `error`",
    "means that nothing is written.",
    "",
    "| code | means |",
    "|---|---|",
    ...rows.sort(),
  ].join("\n")}\n`;
}
