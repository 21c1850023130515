import { ISTIO_KINDS } from "../src/import/istio/kinds.ts";
import { IMPORT_CODES } from "../src/import/note.ts";

/** docs/import-notes.md: every note that an import can give, and what becomes of each kind of Istio's. */
export function importNotesPage(): string {
  const rows = Object.entries(IMPORT_CODES).map(
    ([code, { effect, meaning }]) => `| \`${code}\` | ${effect} | ${meaning} |`,
  );
  const kinds = Object.entries(ISTIO_KINDS).flatMap(([group, some]) =>
    some.map(({ kind, treatment, why }) => `| ${group} | \`${kind}\` | ${treatment} | ${why} |`),
  );
  return `${[
    "# Notes of the imports",
    "",
    "Made by `npm run generate`. What of a source was not carried over as it stands ([importing](import.md)). `narrowed`: less",
    "passes than in the source. `dropped`: it had no say in what passes. `unread`: it was not read, since `--assume-open` says that",
    "it refuses nothing. Nothing is widened, but by such a word.",
    "",
    "| code | effect | means |",
    "|---|---|---|",
    ...rows.sort(),
    "",
    "## Kinds of Istio",
    "",
    "What each can refuse of what goes out, and what `import istio` makes of it. `withheld`: nothing that it may touch is opened,",
    "until `--assume-open KIND/NAMESPACE/NAME` says that it refuses nothing. A kind of these groups that is not listed is withheld",
    "with all that there is.",
    "",
    "| group | kind | | what it can refuse, and what becomes of it |",
    "|---|---|---|---|",
    ...kinds,
  ].join("\n")}\n`;
}
