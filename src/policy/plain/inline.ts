import type { Places } from "../yaml-places.ts";
import { pastSpaces } from "./lines.ts";
import { endOf, readPlainScalar } from "./scalar.ts";

/** A value, where its parts stand, and where its line goes on after it. */
export interface ValueRead {
  readonly value: unknown;
  readonly places: Places;
  readonly end: number;
}

const KEY = /[A-Za-z_][\w./-]*:(?=[ \n]|$)/y;
const OPEN = { list: 0x5b, map: 0x7b } as const;
const CLOSE = { list: 0x5d, map: 0x7d } as const;
const COMMA = 0x2c;

/** Reads the value at `at` that ends in the same line: a scalar, or a list or map in brackets, `depth` deep at most. Null = not certain. */
export function readInline(text: string, at: number, flow: boolean, depth: number): ValueRead | null {
  const first = text.charCodeAt(at);
  if (first === OPEN.list) return readList(text, at, depth - 1);
  if (first === OPEN.map) return readMap(text, at, depth - 1);
  const scalar = readPlainScalar(text, at, flow);
  return scalar === null ? null : { value: scalar.value, places: at, end: scalar.end };
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

function readList(text: string, start: number, depth: number): ValueRead | null {
  const value: unknown[] = [];
  const items: Places[] = [];
  const end = readItems(text, start, CLOSE.list, depth, (at) => {
    const item = readInline(text, at, true, depth);
    if (item === null) return -1;
    value.push(item.value);
    items.push(item.places);
    return item.end;
  });
  return end < 0 ? null : { value, places: { start, items }, end };
}

function readMap(text: string, start: number, depth: number): ValueRead | null {
  const value: Record<string, unknown> = {};
  const names: string[] = [];
  const keys: number[] = [];
  const values: Places[] = [];
  const end = readItems(text, start, CLOSE.map, depth, (at) => {
    const colon = endOfKey(text, at);
    if (colon < 0) return -1;
    const entry = readInline(text, pastSpaces(text, colon), true, depth);
    const name = text.slice(at, colon - 1);
    if (entry === null || !putNew(value, name, entry.value)) return -1;
    names.push(name);
    keys.push(at);
    values.push(entry.places);
    return entry.end;
  });
  return end < 0 ? null : { value, places: { start, names, keys, values }, end };
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
