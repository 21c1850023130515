import { stat } from "node:fs/promises";
import type { AuditLine } from "../audit/ocsf.ts";
import { readLines } from "../audit/read-lines.ts";
import { filesBetween } from "./audit/files.ts";
import { EXIT } from "./exit-code.ts";
import { printFailure } from "./output.ts";
import { createProgress } from "./progress.ts";

/** Which lines of which trail. Files that hold only lines of other times are not read; those that are read are given whole. */
export interface TrailLines {
  readonly file: string;
  /** Milliseconds since the epoch; null for no bound. */
  readonly fromMs: number | null;
  readonly toMs: number | null;
}

/**
 * Gives `take` the lines of a trail, its closed files first, with a line of progress on a terminal; null for a line that
 * cannot be read. False (after saying why, with the exit code set) when the trail cannot be read.
 */
export async function readTrailLines(
  { file, fromMs, toMs }: TrailLines,
  take: (line: AuditLine | null) => void,
): Promise<boolean> {
  const files = await filesBetween(file, fromMs, toMs);
  if (files === null) return false;
  const sizes = await Promise.all(
    files.map((each) =>
      stat(each).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  const show = createProgress(sizes.reduce((sum, size) => sum + size, 0));
  try {
    await readLines(files, take, show);
    return true;
  } catch (error) {
    printFailure(`${file}: ${error instanceof Error ? error.message : error}`, "is it readable for this user?");
    process.exitCode = EXIT.failure;
    return false;
  } finally {
    show(0, true);
  }
}
