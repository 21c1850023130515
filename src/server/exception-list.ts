import type { Exception } from "../policy/exceptions.ts";

/** The exceptions of a revision, by their end. */
export interface ExceptionList {
  /** When each ends, ascending, in milliseconds since the epoch. */
  readonly expires: Float64Array;
  /** One of them. */
  at(index: number): Exception;
}

/** An exception list as bytes: tens of thousands of objects would stop whoever receives them from another thread. */
export interface PackedExceptions {
  readonly expires: Float64Array;
  /** Where the text of each ends in `json`. */
  readonly ends: Uint32Array;
  readonly json: Uint8Array;
}

/** Packs exceptions that are sorted by their end. */
export function packExceptions(exceptions: readonly Exception[]): PackedExceptions {
  const texts = exceptions.map((each) => Buffer.from(JSON.stringify(each)));
  let end = 0;
  const ends = Uint32Array.from(texts, ({ length }) => {
    end += length;
    return end;
  });
  const json = new Uint8Array(end);
  for (const [i, text] of texts.entries()) json.set(text, (ends[i] ?? 0) - text.length);
  return { expires: Float64Array.from(exceptions, ({ expires }) => expires), ends, json };
}

/** Reads one exception at a time. */
export function unpackExceptions({ expires, ends, json }: PackedExceptions): ExceptionList {
  const bytes = Buffer.from(json.buffer, json.byteOffset, json.byteLength);
  return { expires, at: (index) => JSON.parse(bytes.toString("utf8", ends[index - 1] ?? 0, ends[index])) };
}

/** How many of the list end at `atMs` or before. */
export function endedBy({ expires }: ExceptionList, atMs: number): number {
  let low = 0;
  let high = expires.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((expires[middle] ?? 0) <= atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
