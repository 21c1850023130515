import type { SourcePosition } from "./model.ts";

/** A line of a file with a caret line under it; null when the line is empty. Long lines are cut around the place. */
export function excerptOf(lines: readonly string[], at: SourcePosition): string | null {
  const line = lines[at.line - 1]?.replace(/\r$/, "");
  if (line === undefined || line.trim() === "") return null;
  const start = Math.max(0, at.column - 60);
  const shown = line
    .slice(start, start + 120)
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, " ");
  return `${shown}\n${" ".repeat(at.column - 1 - start)}^`;
}
