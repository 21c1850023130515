import type { CodeEntry, Example } from "../src/policy/codes/code-entry.ts";

const MAX_LINES = 24;
const MAX_COLUMNS = 110;

/** What a page says of a code. */
export type DocumentedCode = Omit<CodeEntry, "severity"> & { readonly severity: string };

/** A table of all codes, then a section for each with its examples. */
export function codeSections(codes: Readonly<Record<string, DocumentedCode>>): string {
  const sorted = Object.entries(codes).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const table = sorted.map(([code, { title, severity }]) => `| [\`${code}\`](#${code}) | ${severity} | ${title} |`);
  return [
    "## All codes\n\n| code | severity | meaning |\n|---|---|---|",
    `${table.join("\n")}\n`,
    ...sorted.map(([code, entry]) => section(code, entry)),
  ].join("\n");
}

function section(code: string, { title, explanation, severity, bad, good }: DocumentedCode): string {
  return `## ${code}

**${title}** (${severity}). ${explanation}

Bad:

${exampleText(bad)}
Good:

${exampleText(good)}`;
}

/** The files of an example as one block. */
export function exampleText({ files }: Example): string {
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
