import { rm, stat } from "node:fs/promises";
import { compressFiles } from "./compress-files.ts";
import { PACKINGS, type Packing } from "./packing.ts";
import { closedPath, closedSegments } from "./segment-names.ts";

/** How long closed files are kept, and how. */
export interface RetentionOptions {
  /** Closed files that are kept at most. */
  readonly maxFiles: number;
  /** Closed files are kept for so many milliseconds after they were closed; null for as long as `maxFiles` lets them. */
  readonly keepMs: number | null;
  /** How closed files are compressed; null for not at all. */
  readonly packing: Packing | null;
}

/** The closed files of a trail. */
export interface Retention {
  /** The highest number of a file that must go now, or 0. All lower ones go with it. */
  due(nowMs: number): number;
  closed(segment: number, closedMs: number): void;
  /** Deletes the files up to this one and compresses the others, behind the writer's back. */
  tidy(through: number): void;
  /** Settles when nothing is being deleted or compressed. */
  idle(): Promise<void>;
}

/** Looks at what there is. `failed` is told what could not be deleted or compressed; it is tried again at the next chance. */
export async function createRetention(
  path: string,
  { maxFiles, keepMs, packing }: RetentionOptions,
  failed: (message: string) => void,
): Promise<Retention> {
  /** When each closed file was closed, oldest first. */
  const files = new Map<number, number>();
  for (const { path: name, segment } of await closedSegments(path)) files.set(segment, (await stat(name)).mtimeMs);
  let work: Promise<void> = Promise.resolve();

  async function remove(through: number): Promise<void> {
    for (const { segment } of await closedSegments(path)) {
      if (segment > through) continue;
      for (const each of [null, ...PACKINGS]) await rm(closedPath(path, segment, each), { force: true });
    }
  }

  async function compressAll(packing: Packing): Promise<void> {
    const found = await closedSegments(path);
    const plain = found.filter((each) => each.packing === null);
    const tasks = plain.map(({ path: from, segment }) => ({ from, to: closedPath(path, segment, packing) }));
    await compressFiles({ packing, tasks });
    // A crash may have left both.
    for (const each of found) if (each.packing !== null) await rm(closedPath(path, each.segment), { force: true });
  }

  return {
    due(nowMs) {
      let through = 0;
      let left = files.size;
      for (const [segment, closedMs] of files) {
        if (left <= maxFiles && (keepMs === null || closedMs + keepMs > nowMs)) break;
        through = segment;
        left -= 1;
      }
      return through;
    },
    closed(segment, closedMs) {
      files.set(segment, closedMs);
    },
    tidy(through) {
      for (const segment of files.keys()) if (segment <= through) files.delete(segment);
      work = work
        .then(() => remove(through))
        .then(() => (packing === null ? undefined : compressAll(packing)))
        .catch((error: Error) => failed(`closed audit files cannot be deleted or compressed: ${error.message}`));
    },
    idle: () => work,
  };
}
