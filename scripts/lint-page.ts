import { LINT_CODES } from "../src/analyze/lint/lint-codes.ts";
import { BASE_FILES } from "../src/policy/codes/code-entry.ts";
import { codeSections, exampleText } from "./code-sections.ts";

const INTRODUCTION = `<!-- Made by \`npm run generate\` from src/analyze/lint/lint-codes.ts: change it there. -->
# What the lint finds

What \`sallyport lint\` can say of a valid policy set ([how to use it](policy-life.md#keep-a-set-tidy)). Codes are stable: they are
never renamed or reused. An error is surely a mistake, a warning should be mended, a note is worth knowing.

A comment keeps a finding quiet in the block under it: the rule it stands before or, before a document's first line, the whole
document. It names the code, the day on which it ends, and a reason:

\`\`\`yaml
# sallyport-lint-ignore expiring-rule until 2027-01-31: ends with the contract, SEC-1234
\`\`\`

Every example below is run by the tests, as of 2026-11-23: the bad one yields exactly its code at the place marked \`▸\`, the good
one yields nothing. Unless an example brings these files itself, they stand beside it:
`;

/** The text of docs/lint.md. */
export function lintPage(): string {
  return [INTRODUCTION, exampleText({ files: BASE_FILES }), codeSections(LINT_CODES)].join("\n");
}
