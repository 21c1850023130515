/**
 * Where in a file the character at `offset` of a scalar's value stands. `start` = where the scalar begins in `source`. Quotes,
 * escapes, the head of a block and the indentation of its lines are walked over; where the two cannot be laid side by side
 * (an escape that is spelt as a number) the answer is the last place at which they could.
 */
export function offsetInSource(source: string, start: number, value: string, offset: number): number {
  const first = source[start];
  const quoted = first === '"' || first === "'";
  const block = first === ">" || first === "|";
  let at = quoted ? start + 1 : block ? pastSpace(source, source.indexOf("\n", start)) : start;
  for (let i = 0; i < offset; i++) {
    const wanted = value[i] ?? "";
    if (isSpace(wanted)) {
      if (!isSpace(source[at] ?? "")) return at;
      // Folded lines: a run of space in the file is a run of space in the value, of whatever length.
      if (!isSpace(value[i + 1] ?? "")) at = pastSpace(source, at);
      continue;
    }
    if (isEscaped(source, at, first, wanted)) at += 1;
    if (source[at] !== wanted) return at;
    at += 1;
  }
  return at;
}

function isEscaped(source: string, at: number, quote: string | undefined, wanted: string): boolean {
  if (quote === '"') return source[at] === "\\" && source[at + 1] === wanted;
  return quote === "'" && wanted === "'" && source[at] === "'" && source[at + 1] === "'";
}

function pastSpace(source: string, from: number): number {
  let at = Math.max(0, from);
  while (isSpace(source[at] ?? "")) at += 1;
  return at;
}

function isSpace(character: string): boolean {
  return character === " " || character === "\n" || character === "\t" || character === "\r";
}
