import { excerptOf } from "./excerpt.ts";
import type { SourcePosition } from "./model.ts";

/** Lines and columns of one text, both from 1 on. Costs nothing until it is asked. */
export interface LineIndex {
  /** Of an offset; of one beyond the text, on its last line. */
  positionAt(offset: number): Pick<SourcePosition, "line" | "column">;
  /** The line of a position and a caret under it. */
  excerpt(at: SourcePosition): string | null;
}

export function createLineIndex(text: string): LineIndex {
  let starts: number[] | null = null;
  return {
    positionAt(offset) {
      starts ??= lineStarts(text);
      const line = lineOf(starts, offset);
      return { line, column: offset - (starts[line - 1] ?? 0) + 1 };
    },
    excerpt: (at) => excerptOf(text.split("\n"), at),
  };
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

/** The last line that begins at or before `offset`. */
function lineOf(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle;
  }
  return low + 1;
}
