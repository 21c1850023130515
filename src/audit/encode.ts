/** What JSON.stringify leaves as it is although it can break a line or fool a reader: DEL, C1, line separators, bidi controls. */
const UNSAFE = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/;
const UNSAFE_ALL = new RegExp(UNSAFE, "g");

/** Longest recorded text of a field that callers choose, in characters. */
const MAX_TEXT = 1024;

/**
 * A text as a JSON string in one printable line: control characters, line separators, bidirectional controls and lone
 * surrogates are escaped, and `JSON.parse` gives the text back unchanged.
 */
export function encodeText(text: string): string {
  if (isPlain(text)) return `"${text}"`;
  const json = JSON.stringify(text);
  return UNSAFE.test(json) ? json.replace(UNSAFE_ALL, escapeCharacter) : json;
}

/** The same, or `null`. */
export function encodeTextOrNull(text: string | null): string {
  return text === null ? "null" : encodeText(text);
}

/** Any JSON value in one printable line. */
export function encodeJson(value: unknown): string {
  const json = JSON.stringify(value) ?? "null";
  return UNSAFE.test(json) ? json.replace(UNSAFE_ALL, escapeCharacter) : json;
}

/** A text that callers choose, cut to 1,024 characters with a mark that says how long it was. */
export function capText(text: string): string {
  if (text.length <= MAX_TEXT) return text;
  return `${text.slice(0, MAX_TEXT)}…[${text.length} characters]`;
}

/** Printable ASCII without quote and backslash needs no escape at all. A loop, because it runs for every record. */
function isPlain(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit < 0x20 || unit > 0x7e || unit === 0x22 || unit === 0x5c) return false;
  }
  return true;
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
