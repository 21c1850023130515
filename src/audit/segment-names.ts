import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { PACKED_ENDS, PACKINGS, type Packing } from "./packing.ts";

/** One file of a trail. The open one has no number of its own in its name. */
export interface SegmentName {
  readonly path: string;
  /** Null for the open file. */
  readonly segment: number | null;
  /** Null for one that is not compressed. */
  readonly packing: Packing | null;
}

const CLOSED = /^\.(\d{6,15})(\.[a-z]+)?$/;

/** The name of a closed file: `audit.jsonl.000007`, or `audit.jsonl.000007.zst`. */
export function closedPath(path: string, segment: number, packing: Packing | null = null): string {
  return `${path}.${String(segment).padStart(6, "0")}${packing === null ? "" : PACKED_ENDS[packing]}`;
}

/** The closed files of a trail, oldest first; of one that is being compressed, the compressed one once it is whole. @throws when the directory cannot be read */
export async function closedSegments(path: string): Promise<readonly (SegmentName & { readonly segment: number })[]> {
  const directory = dirname(path);
  const name = basename(path);
  const found = (await readdir(directory)).flatMap((each) => {
    const [, digits, end] = (each.startsWith(name) && CLOSED.exec(each.slice(name.length))) || [];
    const packing = PACKINGS.find((packed) => PACKED_ENDS[packed] === end) ?? null;
    if (digits === undefined || (packing === null && end !== undefined)) return [];
    return [{ path: join(directory, each), segment: Number(digits), packing }];
  });
  const packed = found.filter(({ packing }) => packing !== null);
  const best = new Map([...found, ...packed].map((each) => [each.segment, each]));
  return [...best.values()].sort((one, other) => one.segment - other.segment);
}

/** All files of a trail, oldest first, the open one last. @throws when the directory cannot be read */
export async function trailFiles(path: string): Promise<readonly SegmentName[]> {
  const names = await readdir(dirname(path));
  const closed = await closedSegments(path);
  return names.includes(basename(path)) ? [...closed, { path, segment: null, packing: null }] : closed;
}
