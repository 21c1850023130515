import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** One file of a trail. The open one has no number of its own in its name. */
export interface SegmentName {
  readonly path: string;
  /** Null for the open file. */
  readonly segment: number | null;
  readonly compressed: boolean;
}

const CLOSED = /^\.(\d{6,15})(\.gz)?$/;

/** The name of a closed file: `audit.jsonl.000007`, or `audit.jsonl.000007.gz`. */
export function closedPath(path: string, segment: number, compressed = false): string {
  return `${path}.${String(segment).padStart(6, "0")}${compressed ? ".gz" : ""}`;
}

/** The closed files of a trail, oldest first; of one that is being compressed, the compressed one once it is whole. @throws when the directory cannot be read */
export async function closedSegments(path: string): Promise<readonly (SegmentName & { readonly segment: number })[]> {
  const directory = dirname(path);
  const name = basename(path);
  const found = (await readdir(directory)).flatMap((each) => {
    const [, digits, gz] = (each.startsWith(name) && CLOSED.exec(each.slice(name.length))) || [];
    if (digits === undefined) return [];
    return [{ path: join(directory, each), segment: Number(digits), compressed: gz !== undefined }];
  });
  const compressed = new Set(found.flatMap((each) => (each.compressed ? [each.segment] : [])));
  const once = found.filter((each) => each.compressed || !compressed.has(each.segment));
  return once.sort((one, other) => one.segment - other.segment);
}

/** All files of a trail, oldest first, the open one last. @throws when the directory cannot be read */
export async function trailFiles(path: string): Promise<readonly SegmentName[]> {
  const names = await readdir(dirname(path));
  const closed = await closedSegments(path);
  return names.includes(basename(path)) ? [...closed, { path, segment: null, compressed: false }] : closed;
}
