import { IMPORT_CODES } from "../src/import/note.ts";

/** docs/import-notes.md: every note that an import can give. */
export function importNotesPage(): string {
  const rows = Object.entries(IMPORT_CODES).map(
    ([code, { effect, meaning }]) => `| \`${code}\` | ${effect} | ${meaning} |`,
  );
  return `${[
    "# Notes of the imports",
    "",
    "Made by `npm run generate`. What of a source was not carried over as it stands ([importing](import.md)). `narrowed`: less",
    "passes than in the source. `dropped`: it had no say in what passes. `unread`: it was not read, and may stop more in the",
    "source; look at it by hand. Nothing is ever widened.",
    "",
    "| code | effect | means |",
    "|---|---|---|",
    ...rows.sort(),
  ].join("\n")}\n`;
}
