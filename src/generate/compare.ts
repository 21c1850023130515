import { createTwoFilesPatch } from "diff";
import { mark } from "./mark.ts";
import type { RenderedFile } from "./render-file.ts";

/** How one file of a directory differs from what would be generated. */
export interface Difference {
  readonly path: string;
  readonly kind: "missing" | "stale" | "changed";
  /** Unified diff from what is there to what should be. */
  readonly patch: string;
}

/**
 * Compares generated files with what a directory holds. Files in it that we did not generate for this target are
 * nobody's business; those that we did and would not again are stale.
 * @param present Texts of the directory's files by path.
 */
export function compare(
  target: string,
  files: readonly RenderedFile[],
  present: ReadonlyMap<string, string>,
): readonly Difference[] {
  const wanted = new Map(files.map(({ path, text }) => [path, text]));
  const stale = [...present].filter(([path, text]) => !wanted.has(path) && text.startsWith(mark(target)));
  const differences: Difference[] = stale.map(([path, text]) => difference(path, "stale", text, ""));
  for (const { path, text } of files) {
    const found = present.get(path);
    if (found === undefined) differences.push(difference(path, "missing", "", text));
    else if (found !== text) differences.push(difference(path, "changed", found, text));
  }
  return differences.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function difference(path: string, kind: Difference["kind"], before: string, after: string): Difference {
  return { path, kind, patch: createTwoFilesPatch(`present/${path}`, `generated/${path}`, before, after) };
}
