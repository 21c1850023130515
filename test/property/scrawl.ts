import { isDeepStrictEqual } from "node:util";
import { Document, isCollection, isScalar, parseAllDocuments, Scalar, visit } from "yaml";

/** Numbers below a bound from an endless stream of choices. */
export type Choose = (bound: number) => number;

/** Always the same choices from one seed. */
export function chooser(seed: number): Choose {
  let state = seed >>> 0;
  return (bound) => {
    // mulberry32
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % bound;
  };
}

const QUOTES = [
  undefined,
  Scalar.QUOTE_DOUBLE,
  Scalar.QUOTE_SINGLE,
  Scalar.BLOCK_LITERAL,
  Scalar.BLOCK_FOLDED,
] as const;

/** The same value as somebody could have written it: keys in any order, brackets or blocks, any quotes. */
export function scrawl(value: unknown, choose: Choose): string {
  const document = new Document(shuffled(value, choose), { aliasDuplicateObjects: false, strict: false });
  visit(document, (key, node) => {
    if (isCollection(node)) node.flow = choose(3) === 0;
    else if (isScalar(node) && typeof node.value === "string") {
      const quotes = QUOTES[choose(key === "key" ? 3 : QUOTES.length)];
      if (quotes !== undefined) node.type = quotes;
    }
  });
  const options = { indent: 2 + choose(3), indentSeq: choose(2) === 0, flowCollectionPadding: choose(2) === 0 };
  return document.toString({ ...options, lineWidth: [0, 40, 120][choose(3)] ?? 0 });
}

function shuffled(value: unknown, choose: Choose): unknown {
  if (Array.isArray(value)) return value.map((each) => shuffled(each, choose));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, each]) => [key, shuffled(each, choose)] as const);
  for (let i = entries.length - 1; choose(4) === 0 && i > 0; i--) {
    const j = choose(i + 1);
    [entries[i], entries[j]] = [entries[j] as never, entries[i] as never];
  }
  return Object.fromEntries(entries);
}

/** Puts comments and empty lines wherever YAML takes them without a change of what the text says. */
export function annotate(text: string, choose: Choose): { readonly text: string; readonly comments: number } {
  const meant = valuesOf(text);
  let lines = text.split("\n");
  let comments = 0;
  for (let i = lines.length - 1; i >= 0; i--) {
    if (choose(4) !== 0) continue;
    const mark = `# c${comments}.`;
    const line = lines[i] ?? "";
    const next = [...lines];
    const kind = choose(5);
    if (kind === 0) next.splice(i, 0, "");
    else if (kind < 3 && line !== "") next[i] = `${line} ${mark}`;
    else next.splice(i, 0, `${" ".repeat(choose(3) === 0 ? choose(9) : line.search(/\S|$/))}${mark}`);
    if (!isDeepStrictEqual(valuesOf(next.join("\n")), meant)) continue;
    lines = next;
    // Within a text of several lines it is no comment, and what the text says would have changed.
    if (kind !== 0) comments += 1;
  }
  return { text: lines.join("\n"), comments };
}

/** What the documents of a text say; null when it is not YAML. */
export function valuesOf(text: string): unknown {
  const documents = parseAllDocuments(text, { logLevel: "silent", stringKeys: true });
  if (!Array.isArray(documents) || documents.some(({ errors }) => errors.length > 0)) return null;
  return documents.map((each) => each.toJS());
}
