import type { Leaf } from "./layout.ts";

/** Characters of which a text must escape every one to be read as it is. */
const UNSEEN = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]/gu;
/** What a reader of YAML 1.2 or 1.1 takes for something other than text: numbers, addresses of digits, dates, times of day. */
const NUMBER = /^[-+]?(0[bo]?[0-7_]+|0x[\da-f_]+|[\d_.]+(e[-+]?\d+)?|\d[\d_]*(:\d+)+(\.[\d_]*)?|\d+-\d+-\d+)$/i;
const WORD = /^(null|true|false|yes|no|on|off|y|n|\.inf|\.nan)$/i;
const PLAIN = /^[\p{L}\p{N}_/.($][\p{L}\p{M}\p{N}\p{P}\p{S} ]*$/u;

/** A value in one line: text as it is wherever that cannot be misread, else in double quotes. @param inFlow within brackets, or a key */
export function scalarText(value: unknown, source: string | null, inFlow: boolean): string {
  if (typeof value === "string") return isPlain(value, inFlow) ? value : quoted(value);
  if (typeof value === "number" && !Number.isSafeInteger(value) && source !== null) return source;
  if (Object.is(value, -0)) return "-0";
  return String(value);
}

/** The lines of a text as they stand in a block, and the sign before them. */
export interface BlockText {
  readonly sign: string;
  readonly lines: readonly string[];
}

/** A text in a block: as its author has folded it, or one of several lines after `|`. Null when it stands in one line. */
export function blockText({ value, folded }: Pick<Leaf, "value" | "folded">): BlockText | null {
  if (typeof value !== "string") return null;
  const kept = value.endsWith("\n");
  const text = kept ? value.slice(0, -1) : value;
  if (folded !== null && folded.length > 1 && folded.every(isShown) && folded.join(" ") === text) {
    return { sign: kept ? ">" : ">-", lines: folded };
  }
  if (!/[^\n]\n/.test(value) || /^\s|\n\n$/.test(value)) return null;
  const lines = text.split("\n");
  return lines.every((line) => line === "" || isShown(line)) ? { sign: kept ? "|" : "|-", lines } : null;
}

function isShown(line: string): boolean {
  return line.search(UNSEEN) < 0 && line.trim() !== "";
}

function isPlain(text: string, inFlow: boolean): boolean {
  if (!PLAIN.test(text) || NUMBER.test(text) || WORD.test(text)) return false;
  if (inFlow && /[,[\]{}]/.test(text)) return false;
  return !/: | #|[: ]$/.test(text);
}

function quoted(text: string): string {
  return JSON.stringify(text).replace(UNSEEN, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
