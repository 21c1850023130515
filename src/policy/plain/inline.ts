import { appended, fitted } from "../fitted.ts";
import type { Places } from "../yaml-places.ts";
import { pastSpaces } from "./lines.ts";
import { endOf, readPlainScalar } from "./scalar.ts";

/** A value, and where its line goes on after it. */
export interface ValueRead {
  readonly value: unknown;
  readonly end: number;
}

const KEY = /[A-Za-z_][\w./-]*:(?=[ \n]|$)/y;
const OPEN = { list: 0x5b, map: 0x7b } as const;
const CLOSE = { list: 0x5d, map: 0x7d } as const;
const COMMA = 0x2c;

/**
 * Reads the value at `at` that ends in the same line: a scalar, or a list or map in brackets, `depth` deep at most. Notes where its parts stand. Null = not
 * certain.
 */
export function readInline(places: Places, at: number, flow: boolean, depth: number): ValueRead | null {
  const first = places.text.charCodeAt(at);
  if (first === OPEN.list) return readList(places, at, depth - 1);
  if (first === OPEN.map) return readMap(places, at, depth - 1);
  places.scalar(at);
  return readPlainScalar(places.text, at, flow);
}

/** The end of a key with its colon at `at`; -1 when what stands there is not certainly one. */
export function endOfKey(text: string, at: number): number {
  return endOf(KEY, text, at);
}

/** Puts a value under a new key. False when the key stands there already, or would vanish in an object. */
export function putNew(map: Record<string, unknown>, name: string, value: unknown): boolean {
  if (name === "__proto__" || Object.hasOwn(map, name)) return false;
  map[name] = value;
  return true;
}

function readList(places: Places, start: number, depth: number): ValueRead | null {
  let list: unknown[] = [];
  const opened = places.openList(start);
  const end = readItems(places.text, start, CLOSE.list, depth, (at) => {
    const item = readInline(places, at, true, depth);
    if (item === null) return -1;
    list = appended(list, item.value);
    return item.end;
  });
  places.close(opened);
  return end < 0 ? null : { value: list.length === 1 ? list : fitted(list), end };
}

function readMap(places: Places, start: number, depth: number): ValueRead | null {
  const { text } = places;
  const map: Record<string, unknown> = {};
  const opened = places.openMap(start);
  const end = readItems(text, start, CLOSE.map, depth, (at) => {
    const colon = endOfKey(text, at);
    if (colon < 0) return -1;
    places.plainKey(at);
    const entry = readInline(places, pastSpaces(text, colon), true, depth);
    if (entry === null || !putNew(map, text.slice(at, colon - 1), entry.value)) return -1;
    return entry.end;
  });
  places.close(opened);
  return end < 0 ? null : { value: map, end };
}

/** Reads what stands between brackets, with commas between. Returns where the line goes on after them; -1 = not certain. */
function readItems(text: string, start: number, close: number, depth: number, item: (at: number) => number): number {
  if (depth < 0) return -1;
  let at = pastSpaces(text, start + 1);
  if (text.charCodeAt(at) === close) return at + 1;
  for (;;) {
    const end = item(at);
    if (end < 0) return -1;
    at = pastSpaces(text, end);
    const sign = text.charCodeAt(at);
    if (sign === close) return at + 1;
    if (sign !== COMMA) return -1;
    at = pastSpaces(text, at + 1);
  }
}
