import { BASE_FILES } from "../src/policy/codes/code-entry.ts";
import { DIAGNOSTIC_CODES } from "../src/policy/diagnostic-codes.ts";
import { codeSections, exampleText } from "./code-sections.ts";

const INTRODUCTION = `<!-- Made by \`npm run generate\` from src/policy/diagnostic-codes.ts: change it there. -->
# Diagnostics

What \`sallyport validate\` and a running server can say of a policy set. Codes are stable: they are never renamed or
reused. An error refuses the set (a running server: the namespace it is in); a warning points something out. All
problems are reported at once, each as \`file:line:column: severity[code]: message\` with the line, a caret and, where it
is known, what to write instead.

Every example below is run by the tests: the bad one yields exactly its code at the place marked \`▸\`, the good one yields
nothing. Unless an example brings these files itself, they stand beside it:
`;

/** The text of docs/diagnostics.md. */
export function diagnosticsPage(): string {
  return [INTRODUCTION, exampleText({ files: BASE_FILES }), codeSections(DIAGNOSTIC_CODES)].join("\n");
}
