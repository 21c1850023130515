import { BASE_FILES, type CodeEntry, type Example } from "../src/policy/codes/code-entry.ts";
import { DIAGNOSTIC_CODES } from "../src/policy/diagnostic-codes.ts";

const MAX_LINES = 24;
const MAX_COLUMNS = 110;

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
  const entries: readonly (readonly [string, CodeEntry])[] = Object.entries(DIAGNOSTIC_CODES);
  const sorted = entries.toSorted(([a], [b]) => (a < b ? -1 : 1));
  const table = sorted.map(([code, { title, severity }]) => `| [\`${code}\`](#${code}) | ${severity} | ${title} |`);
  return [
    INTRODUCTION,
    exampleText({ files: BASE_FILES }),
    "## All codes\n\n| code | severity | meaning |\n|---|---|---|",
    `${table.join("\n")}\n`,
    ...sorted.map(([code, entry]) => section(code, entry)),
  ].join("\n");
}

function section(code: string, { title, explanation, severity, bad, good }: CodeEntry): string {
  return `## ${code}

**${title}** (${severity}). ${explanation}

Bad:

${exampleText(bad)}
Good:

${exampleText(good)}`;
}

function exampleText({ files }: Example): string {
  const parts = Object.entries(files).map(([path, content]) => {
    const body = typeof content === "string" ? content : content === null ? "# cannot be read" : bytesText(content);
    return `# ${path}\n${shortened(body)}`;
  });
  return `\`\`\`yaml\n${parts.join("\n\n")}\n\`\`\`\n`;
}

function bytesText(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes);
  if (!text.includes("\u{fffd}")) return text;
  return `# the bytes ${Buffer.from(bytes)
    .toString("hex")
    .replace(/..(?=.)/g, "$& ")}`;
}

/** Examples of what is too large are cut to what shows the point. */
function shortened(text: string): string {
  const lines = text.trimEnd().split("\n");
  const shown = lines.length > MAX_LINES ? [...lines.slice(0, 6), `# … ${lines.length - 6} lines more`] : lines;
  return shown.map((line) => (line.length > MAX_COLUMNS ? `${line.slice(0, MAX_COLUMNS)} …` : line)).join("\n");
}
