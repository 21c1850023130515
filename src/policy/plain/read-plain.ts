import { appended, fitted } from "../fitted.ts";
import { LIMITS } from "../limits.ts";
import { Places } from "../yaml-places.ts";
import { endOfKey, putNew, readInline } from "./inline.ts";
import { createLines, type Lines, pastSpaces } from "./lines.ts";

/** A document's value, and where its parts stand. */
export interface PlainDocument {
  readonly value: unknown;
  readonly places: Places;
}

// Tabs, other line breaks, marks of byte order, what has no single code unit.
const UNUSUAL = /[^\n\x20-\x7e\u00a1-\u1fff\u2010-\u2027\u2030-\u2fff\u3001-\ud7ff]/;
/** What is read instead of a value where anything is in doubt: no value is undefined. */
const UNCERTAIN = undefined;
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
    const places = new Places(text);
    const value = readBlock(lines, places, LIMITS.depth);
    // A line that stands too deep or not deep enough for every open collection ends them all.
    if (value === UNCERTAIN || lines.column >= 0 || documents.length === LIMITS.documentsPerFile) return null;
    documents.push({ value, places });
  } while (lines.nextDocument());
  return documents;
}

/** Reads the collection that begins at the present line's text, `depth` deep at most, and all lines that belong to it. */
function readBlock(lines: Lines, places: Places, depth: number): unknown {
  if (depth === 0) return UNCERTAIN;
  return isItem(lines) ? readList(lines, places, depth) : readMap(lines, places, depth);
}

function isItem({ text, at }: Lines): boolean {
  return text.charCodeAt(at) === DASH && text.charCodeAt(at + 1) === SPACE;
}

function readMap(lines: Lines, places: Places, depth: number): unknown {
  const { text, column } = lines;
  const map: Record<string, unknown> = {};
  const opened = places.openMap(lines.at);
  do {
    const { at } = lines;
    const colon = endOfKey(text, at);
    if (colon < 0) return UNCERTAIN;
    places.plainKey(at);
    const value = readEntry(lines, places, colon, column, depth);
    if (value === UNCERTAIN || !putNew(map, text.slice(at, colon - 1), value)) return UNCERTAIN;
  } while (lines.column === column);
  places.close(opened);
  return map;
}

/** What a key leads to: the rest of its line, or the lines below. */
function readEntry(lines: Lines, places: Places, colon: number, column: number, depth: number): unknown {
  if (!lines.next(colon)) return readRest(lines, places, pastSpaces(lines.text, colon), depth);
  if (lines.column > column) return readBlock(lines, places, depth - 1);
  // A list may stand right below its key.
  return lines.column === column && isItem(lines) && depth > 1 ? readList(lines, places, depth - 1) : UNCERTAIN;
}

function readList(lines: Lines, places: Places, depth: number): unknown {
  const { text, column } = lines;
  let list: unknown[] = [];
  const opened = places.openList(lines.at);
  do {
    lines.enter();
    const isRest = endOfKey(text, lines.at) < 0;
    const item = isRest ? readRest(lines, places, lines.at, depth) : readBlock(lines, places, depth - 1);
    if (item === UNCERTAIN) return UNCERTAIN;
    list = appended(list, item);
  } while (lines.column === column && isItem(lines));
  places.close(opened);
  return list.length === 1 ? list : fitted(list);
}

/** A value that ends in the present line, and goes to the next one. */
function readRest(lines: Lines, places: Places, from: number, depth: number): unknown {
  const read = readInline(places, from, false, depth - 1);
  return read !== null && lines.next(read.end) ? read.value : UNCERTAIN;
}
