import { isKind, KINDS } from "../schema/kinds.ts";
import { keysAt } from "../schema-at.ts";
import type { DocumentPath } from "../yaml-source.ts";
import type { Collection, Comment, DocumentLayout, Entry, Layout, Leaf } from "./layout.ts";
import { blockText, scalarText } from "./scalar-text.ts";

/** The most columns of a line with brackets. */
const WIDTH = 120;
/** Lists that have an entry a line, and whose entries have a key a line, however short they are. */
const TALL = new Set(["rules", "cases"]);

/** Prints a document in the canonical layout. @see docs/policy-language.md */
export function printDocument({ root, header, headerGap }: DocumentLayout): readonly string[] {
  if (root.kind === "leaf") return [...header.map(({ text }) => text), scalarText(root.value, root.source, false)];
  const lines: string[] = [];
  for (const comment of header) addLine(lines, comment.text, comment.blankBefore);
  const print = createPrinter(kindOf(root));
  return [...lines, ...(headerGap && lines.length > 0 ? [""] : []), ...print(root, [], 0, false)];
}

type Print = (collection: Collection, path: DocumentPath, column: number, hoisted: boolean) => string[];

function kindOf(root: Collection): string | null {
  const kind = root.entries.find(({ key }) => key?.value === "kind")?.value;
  return kind?.kind === "leaf" && typeof kind.value === "string" ? kind.value : null;
}

function createPrinter(kind: string | null): Print {
  const schema = kind !== null && isKind(kind) ? KINDS[kind] : null;

  /** @param hoisted the comments over the first entry are printed elsewhere */
  const print: Print = (collection, path, column, hoisted) => {
    const lines: string[] = [];
    for (const [index, entry] of inOrder(collection, path).entries()) {
      const isHoisted = hoisted && index === 0;
      if (!isHoisted) for (const each of entry.before) addLine(lines, each.text, each.blankBefore);
      if (collection.kind === "map") addKey(lines, entry, path, column);
      else addItem(lines, entry, [...path, index], column, isHoisted);
      for (const each of entry.after) addLine(lines, each.text, each.blankBefore);
    }
    return lines;
  };

  function addKey(lines: string[], entry: Entry, parent: DocumentPath, column: number): void {
    const { key, value, trailing, blankBefore } = entry;
    const name = scalarText(key?.value, key?.source ?? null, true);
    const path = [...parent, String(key?.value)];
    const short = inOneLine(value, path, column + name.length + 2);
    if (short !== null) addLine(lines, `${name}: ${short}${tail(trailing)}`, blankBefore);
    else if (value.kind === "leaf") addBlockText(lines, `${name}: `, entry);
    else {
      addLine(lines, `${name}:${tail(trailing)}`, blankBefore);
      // A list stands in the column of its key.
      const isList = value.kind === "list";
      const below = print(value, path, column + (isList ? 0 : 2), false);
      for (const line of below) lines.push(isList ? line : indented(line));
    }
  }

  function addItem(lines: string[], entry: Entry, path: DocumentPath, column: number, hoisted: boolean): void {
    const { value, trailing, blankBefore } = entry;
    const short = inOneLine(value, path, column + 2);
    if (short !== null) addLine(lines, `- ${short}${tail(trailing)}`, blankBefore);
    else if (value.kind === "leaf") addBlockText(lines, "- ", entry);
    else {
      const over = hoisted ? [] : overDash(entry, value, path, column);
      for (const [index, { text }] of over.entries()) addLine(lines, text, index === 0 && blankBefore);
      const [first = "", ...rest] = print(value, path, column + 2, true);
      addLine(lines, `- ${first}`, over.length === 0 && blankBefore);
      for (const line of rest) lines.push(indented(line));
    }
  }

  /** Comments that would stand in the line of a dash, or between it and what comes first below it: they go over it. */
  function overDash({ trailing }: Entry, value: Collection, path: DocumentPath, column: number): readonly Comment[] {
    const [first] = inOrder(value, path);
    const own = [...(trailing === null ? [] : [trailing]), ...(first?.before ?? [])];
    if (first === undefined || value.kind === "map" || first.value.kind === "leaf") return own;
    const below = [...path, 0];
    if (inOneLine(first.value, below, column + 4) !== null) return own;
    return [...own, ...overDash(first, first.value, below, column + 2)];
  }

  /** Known keys in the order of the documentation, then the others as they stand. */
  function inOrder(collection: Collection, path: DocumentPath): readonly Entry[] {
    const { kind, entries } = collection;
    if (kind === "list" || schema === null) return entries;
    const keys = keysAt(schema, path);
    const rank = ({ key }: Entry): number => {
      const at = keys.indexOf(String(key?.value));
      return at < 0 ? keys.length : at;
    };
    return keys.length === 0 ? entries : entries.toSorted((a, b) => rank(a) - rank(b));
  }

  /** A value in one line, or null when it takes several. */
  function inOneLine(value: Layout, path: DocumentPath, column: number): string | null {
    if (value.kind === "leaf") {
      return blockText(value) === null ? scalarText(value.value, value.source, false) : null;
    }
    if (value.entries.length > 0 && (!value.flow || isTall(path))) return null;
    const text = inBrackets(value, path);
    return text !== null && column + text.length <= WIDTH ? text : null;
  }

  function inBrackets(collection: Collection, path: DocumentPath): string | null {
    const parts: string[] = [];
    for (const [index, { key, value }] of inOrder(collection, path).entries()) {
      const below = [...path, key === null ? index : String(key.value)];
      const text = value.kind === "leaf" ? leafInBrackets(value) : inBrackets(value, below);
      if (text === null) return null;
      parts.push(key === null ? text : `${scalarText(key.value, key.source ?? null, true)}: ${text}`);
    }
    return collection.kind === "map" ? `{${parts.join(", ")}}` : `[${parts.join(", ")}]`;
  }

  return print;
}

/** The document, its spec, and what stands in a list of rules or cases. */
function isTall(path: DocumentPath): boolean {
  const [top, list] = path;
  if (path.length === 0 || (path.length === 1 && top === "spec")) return true;
  return top === "spec" && path.length <= 3 && TALL.has(String(list));
}

function leafInBrackets(leaf: Leaf): string | null {
  return blockText(leaf) === null ? scalarText(leaf.value, leaf.source, true) : null;
}

function addBlockText(lines: string[], head: string, { value, trailing, blankBefore }: Entry): void {
  const text = value.kind === "leaf" ? blockText(value) : null;
  if (text === null) return;
  addLine(lines, `${head}${text.sign}${tail(trailing)}`, blankBefore);
  for (const line of text.lines) lines.push(indented(line));
}

function addLine(lines: string[], line: string, blankBefore: boolean): void {
  if (blankBefore && lines.length > 0) lines.push("");
  lines.push(line);
}

function tail(comment: Comment | null): string {
  return comment === null ? "" : ` ${comment.text}`;
}

function indented(line: string): string {
  return line === "" ? "" : `  ${line}`;
}
