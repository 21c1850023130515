/** A text, number or truth value that stands on one line, and where the line goes on after it. */
export interface ScalarRead {
  readonly value: string | number | boolean;
  readonly end: number;
}

const DOUBLE_QUOTED = /"[^"\\\n]*"/y;
const SINGLE_QUOTED = /'[^'\n]*'/y;
// Words apart by single or several spaces. A colon or hash within a word is part of it; where one could end the text, nothing is read.
const BLOCK_TEXT = /[\w/(\u00a1-\ud7ff][^\n :#]*(?:[:#]+[^\n :#]+)*(?: +[^\n :#]+(?:[:#]+[^\n :#]+)*)*/y;
const FLOW_TEXT =
  /[\w/(\u00a1-\ud7ff][^\n :#,[\]{}]*(?:[:#]+[^\n :#,[\]{}]+)*(?: +[^\n :#,[\]{}]+(?:[:#]+[^\n :#,[\]{}]+)*)*/y;
const SMALL_NUMBER = /^(?:0|[1-9]\d{0,8})$/;
const LIKE_NUMBER = /^(?:\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|0[ox].*)$/;
const LIKE_WORD = /^(?:null|true|false)$/i;

/**
 * Reads the scalar at `at` where YAML leaves no doubt about it. Null where there could be one: escapes, numbers that are not small
 * and whole, other spellings of `null`, what may go on in the next line or be a key. `flow` = within brackets.
 */
export function readPlainScalar(text: string, at: number, flow: boolean): ScalarRead | null {
  const first = text.charCodeAt(at);
  if (first === 0x22 || first === 0x27) {
    const end = endOf(first === 0x22 ? DOUBLE_QUOTED : SINGLE_QUOTED, text, at);
    return end < 0 ? null : { value: text.slice(at + 1, end - 1), end };
  }
  const end = endOf(flow ? FLOW_TEXT : BLOCK_TEXT, text, at);
  if (end < 0) return null;
  const written = text.slice(at, end);
  if (first >= 0x30 && first <= 0x39) {
    if (SMALL_NUMBER.test(written)) return { value: Number(written), end };
    return LIKE_NUMBER.test(written) ? null : { value: written, end };
  }
  if (written.length > 5 || !LIKE_WORD.test(written)) return { value: written, end };
  return written === "true" || written === "false" ? { value: written === "true", end } : null;
}

/** Where a match of a sticky pattern at `at` ends; -1 when there is none. */
export function endOf(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : -1;
}
