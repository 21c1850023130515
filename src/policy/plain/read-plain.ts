import { LIMITS } from "../limits.ts";
import type { Places } from "../yaml-places.ts";
import { endOfKey, putNew, readInline } from "./inline.ts";
import { createLines, type Lines, pastSpaces } from "./lines.ts";

/** A document's value, and where its parts stand. */
export interface PlainDocument {
  readonly value: unknown;
  readonly places: Places;
}

// Tabs, other line breaks, marks of byte order, what has no single code unit.
const UNUSUAL = /[^\n\x20-\x7e\u00a1-\u1fff\u2010-\u2027\u2030-\u2fff\u3001-\ud7ff]/;
const DASH = 0x2d;
const SPACE = 0x20;

/**
 * Reads the part of YAML that policies are mostly written in, in a tenth of the library's time: block maps and lists, brackets that close
 * in their line, texts on one line, comments. Null = the file holds anything else, or anything wrong, however slight: the library judges it.
 * INVARIANT: what is read here, the library reads to the same values at the same places, without a problem.
 */
export function readPlainYaml(text: string): readonly PlainDocument[] | null {
  if (UNUSUAL.test(text)) return null;
  const lines = createLines(text);
  const documents: PlainDocument[] = [];
  do {
    const document = readBlock(lines, LIMITS.depth);
    // A line that stands too deep or not deep enough for every open collection ends them all.
    if (document === null || lines.column >= 0 || documents.length === LIMITS.documentsPerFile) return null;
    documents.push(document);
  } while (lines.nextDocument());
  return documents;
}

/** Reads the collection that begins at the present line's text, `depth` deep at most, and all lines that belong to it. */
function readBlock(lines: Lines, depth: number): PlainDocument | null {
  if (depth === 0) return null;
  return isItem(lines) ? readList(lines, depth) : readMap(lines, depth);
}

function isItem({ text, at }: Lines): boolean {
  return text.charCodeAt(at) === DASH && text.charCodeAt(at + 1) === SPACE;
}

function readMap(lines: Lines, depth: number): PlainDocument | null {
  const { text, at: start, column } = lines;
  const value: Record<string, unknown> = {};
  const names: string[] = [];
  const keys: number[] = [];
  const values: Places[] = [];
  do {
    const { at } = lines;
    const colon = endOfKey(text, at);
    if (colon < 0) return null;
    const entry = readEntry(lines, colon, column, depth);
    const name = text.slice(at, colon - 1);
    if (entry === null || !putNew(value, name, entry.value)) return null;
    names.push(name);
    keys.push(at);
    values.push(entry.places);
  } while (lines.column === column);
  return { value, places: { start, names, keys, values } };
}

/** What a key leads to: the rest of its line, or the lines below. */
function readEntry(lines: Lines, colon: number, column: number, depth: number): PlainDocument | null {
  if (!lines.next(colon)) return readRest(lines, pastSpaces(lines.text, colon), depth);
  if (lines.column > column) return readBlock(lines, depth - 1);
  // A list may stand right below its key.
  return lines.column === column && isItem(lines) && depth > 1 ? readList(lines, depth - 1) : null;
}

function readList(lines: Lines, depth: number): PlainDocument | null {
  const { text, at: start, column } = lines;
  const value: unknown[] = [];
  const items: Places[] = [];
  do {
    lines.enter();
    const item = endOfKey(text, lines.at) < 0 ? readRest(lines, lines.at, depth) : readBlock(lines, depth - 1);
    if (item === null) return null;
    value.push(item.value);
    items.push(item.places);
  } while (lines.column === column && isItem(lines));
  return { value, places: { start, items } };
}

/** A value that ends in the present line, and goes to the next one. */
function readRest(lines: Lines, from: number, depth: number): PlainDocument | null {
  const read = readInline(lines.text, from, false, depth - 1);
  return read !== null && lines.next(read.end) ? read : null;
}
