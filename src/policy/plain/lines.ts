import { endOf } from "./scalar.ts";

/** A walk over the lines of a text that hold more than a comment. */
export interface Lines {
  readonly text: string;
  /** Where the present line's content begins. */
  readonly at: number;
  /** Its column, from 0 on; -1 after the last line of a document. */
  readonly column: number;
  /** To the next line, from a place after which the present one holds nothing but a comment. False, and nowhere, when it holds more. */
  next(from: number): boolean;
  /** To what stands behind the sign at the present place, within the line. */
  enter(): void;
  /** From the end of a document to the next one. False at the end of the text. */
  nextDocument(): boolean;
}

const REST_OF_LINE = /(?: +#[^\n]*| *)(?:\n|$)/y;
const DOCUMENT_MARK = /---(?:\n|$)/y;
const NEWLINE = 0x0a;
const HASH = 0x23;

/** Walks the lines of `text`, from the first document on. */
export function createLines(text: string): Lines {
  let at = 0;
  let column = -1;
  const seek = (lineStart: number): void => {
    let start = lineStart;
    for (;;) {
      at = pastSpaces(text, start);
      column = at - start;
      const sign = text.charCodeAt(at);
      if (at >= text.length || (column === 0 && endOf(DOCUMENT_MARK, text, at) >= 0)) column = -1;
      else if (sign === NEWLINE || sign === HASH) {
        start = pastLine(text, at);
        continue;
      }
      return;
    }
  };
  const nextDocument = (): boolean => {
    if (at >= text.length) return false;
    seek(pastLine(text, at));
    return true;
  };
  seek(0);
  // A mark before the first document ends none.
  if (column < 0) nextDocument();
  return {
    text,
    get at() {
      return at;
    },
    get column() {
      return column;
    },
    next(from) {
      const end = endOf(REST_OF_LINE, text, from);
      if (end >= 0) seek(end);
      return end >= 0;
    },
    enter() {
      const within = pastSpaces(text, at + 1);
      column += within - at;
      at = within;
    },
    nextDocument,
  };
}

function pastLine(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  return end < 0 ? text.length : end + 1;
}

/** The first place from `from` on that holds no space. */
export function pastSpaces(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) === 0x20) at += 1;
  return at;
}
