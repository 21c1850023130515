/** Looks for a text in others. */
export interface Search {
  found(text: string): boolean;
  /** What it takes for each character of a text, at most: about nanoseconds. */
  readonly looks: number;
}

/** Tables are made for texts up to this length: 8 KiB at most. */
const SHORT = 64;
const ASCII = 128;

/**
 * Prepares a search whose time grows with the length of the texts alone, whatever they are: that of JavaScript takes as long as both
 * lengths multiplied, for a text made for it.
 */
export function createSearch(sought: string): Search {
  if (sought === "") return { found: () => true, looks: 0 };
  const codes = Uint16Array.from({ length: sought.length }, (_, at) => sought.charCodeAt(at));
  return sought.length <= SHORT && codes.every((code) => code < ASCII) ? byTable(codes) : byFalls(codes);
}

/** One step of a table for each character: what is met of the text so far, and the class of the character, give what is met then. */
function byTable(codes: Uint16Array): Search {
  const classes = new Uint8Array(ASCII);
  let count = 1;
  for (const code of codes) {
    if (classes[code] !== 0) continue;
    classes[code] = count;
    count += 1;
  }
  const table = new Uint16Array(codes.length * count);
  /** What would be met had the text begun one character later. */
  let later = 0;
  for (const [met, code] of codes.entries()) {
    const own = classes[code] ?? 0;
    if (met > 0) table.copyWithin(met * count, later, later + count);
    const next = table[later + own] ?? 0;
    table[met * count + own] = (met + 1) * count;
    if (met > 0) later = next;
  }
  const all = codes.length * count;
  function found(text: string): boolean {
    let met = 0;
    for (let at = 0; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      met = table[met + (code < ASCII ? (classes[code] ?? 0) : 0)] ?? 0;
      if (met === all) return true;
    }
    return false;
  }
  return { found, looks: 3 };
}

/** The same without a table, for what would need a large one. (Knuth, Morris and Pratt) */
function byFalls(codes: Uint16Array): Search {
  const falls = fallsOf(codes);
  function found(text: string): boolean {
    let met = 0;
    for (let at = 0; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      while (met > 0 && codes[met] !== code) met = falls[met] ?? 0;
      if (codes[met] === code) met += 1;
      if (met === codes.length) return true;
    }
    return false;
  }
  return { found, looks: 6 };
}

/** For each number of characters that were met: of how many the next try can make use, after one that differs. */
function fallsOf(codes: Uint16Array): Uint16Array {
  const falls = new Uint16Array(codes.length + 1);
  let met = 0;
  for (let at = 1; at < codes.length; at += 1) {
    while (met > 0 && codes[at] !== codes[met]) met = falls[met] ?? 0;
    if (codes[at] === codes[met]) met += 1;
    falls[at + 1] = met;
  }
  return falls;
}
