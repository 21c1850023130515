import { isMap, isScalar, isSeq, type ParsedNode, parseAllDocuments, Scalar, type YAMLMap, type YAMLSeq } from "yaml";
import { startOf } from "../yaml-features.ts";

/** A comment, with what its place in the text says. */
export interface Comment {
  readonly text: string;
  readonly offset: number;
  /** Counts from 0. */
  readonly column: number;
  /** What stands before it in its line. */
  readonly lead: string;
  readonly blankBefore: boolean;
}

/** A key with its value, or an item of a list, and the comments that go where it goes. */
export interface Entry {
  readonly offset: number;
  /** Counts from 0. */
  readonly column: number;
  /** An empty line stands before it. */
  blankBefore: boolean;
  /** Null in a list. */
  readonly key: Scalar | null;
  readonly value: Layout;
  /** The entry whose value this one is in; null at the top of a document. */
  readonly owner: Entry | null;
  /** The map or list that it is in. */
  readonly within: Collection;
  readonly before: Comment[];
  trailing: Comment | null;
  readonly after: Comment[];
}

/** A map or a list. */
export interface Collection {
  readonly kind: "map" | "list";
  readonly start: number;
  readonly end: number;
  /** Written in brackets. */
  readonly bracketed: boolean;
  /** May be printed in brackets: no comment stands within. */
  flow: boolean;
  readonly entries: Entry[];
}

/** A value by itself. */
export interface Leaf {
  readonly kind: "leaf";
  readonly start: number;
  readonly value: unknown;
  readonly source: string | null;
  /** The lines of a text that its author has folded (`>`); null for any other. */
  readonly folded: readonly string[] | null;
}

export type Layout = Collection | Leaf;

/** A document with the comments over its first line. */
export interface DocumentLayout {
  readonly root: Layout;
  readonly header: Comment[];
  /** An empty line stands between the header and the first line. */
  headerGap: boolean;
}

/** How a valid YAML text is laid out. Comments are attached later. @param text with line feeds only */
export function readLayout(text: string): DocumentLayout[] {
  const documents = parseAllDocuments<ParsedNode>(text, {
    ...{ keepSourceTokens: true, prettyErrors: false, uniqueKeys: false, stringKeys: true },
    ...{ version: "1.2", schema: "core", logLevel: "silent" },
  });
  return [...documents].map(({ contents }) => ({ root: layoutOf(contents, text, null), header: [], headerGap: false }));
}

/** The text of a line before `offset`. */
export function leadOf(text: string, offset: number): string {
  return text.slice(text.lastIndexOf("\n", offset - 1) + 1, offset);
}

/** Whether the line of `offset` begins there and the line before is empty. */
export function isAfterBlank(text: string, offset: number): boolean {
  const start = text.lastIndexOf("\n", offset - 1);
  if (start < 1 || text.slice(start + 1, offset).trim() !== "") return false;
  return text.slice(text.lastIndexOf("\n", start - 1) + 1, start).trim() === "";
}

function layoutOf(node: unknown, text: string, owner: Entry | null): Layout {
  if (isMap(node)) return mapOf(node, text, owner);
  if (isSeq(node)) return listOf(node, text, owner);
  const scalar = isScalar(node) ? node : null;
  const folded = scalar?.type === Scalar.BLOCK_FOLDED ? linesBelow(text, scalar) : null;
  return { kind: "leaf", start: startOf(node), value: scalar?.value ?? null, source: scalar?.source ?? null, folded };
}

/** The lines of a block below the one of its `>`. */
function linesBelow(text: string, { range }: Scalar): readonly string[] {
  const [start = 0, end = 0] = range ?? [];
  const [, ...lines] = text.slice(start, end).trimEnd().split("\n");
  return lines.map((line) => line.trim());
}

function mapOf(node: YAMLMap, text: string, owner: Entry | null): Collection {
  const map: Collection = { ...collectionOf(node), kind: "map" };
  for (const { key, value } of node.items) {
    if (!isScalar(key)) continue;
    map.entries.push(entryOf(map, key, value, startOf(key), text, owner));
  }
  return map;
}

function listOf(node: YAMLSeq, text: string, owner: Entry | null): Collection {
  const list: Collection = { ...collectionOf(node), kind: "list" };
  const token = node.srcToken;
  for (const [index, item] of node.items.entries()) {
    const sign =
      token?.type === "block-seq" ? token.items[index]?.start.find(({ type }) => type === "seq-item-ind") : undefined;
    list.entries.push(entryOf(list, null, item, sign?.offset ?? startOf(item), text, owner));
  }
  return list;
}

function collectionOf(node: YAMLMap | YAMLSeq): Omit<Collection, "kind"> {
  const bracketed = node.flow === true;
  return { start: startOf(node), end: node.range?.[1] ?? 0, bracketed, flow: bracketed, entries: [] };
}

function entryOf(
  within: Collection,
  key: Scalar | null,
  value: unknown,
  offset: number,
  text: string,
  owner: Entry | null,
): Entry {
  const place = { offset, column: leadOf(text, offset).length, blankBefore: isAfterBlank(text, offset) };
  const entry: Omit<Entry, "value"> = { ...place, key, owner, within, before: [], trailing: null, after: [] };
  // The entries of its value know it as their owner.
  return Object.assign(entry, { value: layoutOf(value, text, entry as Entry) });
}
