import { randomFillSync } from "node:crypto";

/** Characters of a decision id. */
export const ID_LENGTH = 36;

const BLOCKS = 512;
/** Hexadecimal digits of the 74 random bits that an id takes, the variant's digit among them. */
const DIGITS = 20;

/**
 * Gives UUIDv7s for instants in milliseconds. The random part is drawn and written out for many ids at once, and the
 * part that tells the time once a millisecond: a library that makes them one by one takes several times as long.
 * @see RFC 9562, section 5.7
 */
export function createIdSource(): (nowMs: number) => string {
  const pool = Buffer.alloc((BLOCKS * DIGITS) / 2);
  let digits = "";
  let at = 0;
  let lastMs = Number.NaN;
  let time = "";
  return (nowMs) => {
    if (at === digits.length) {
      digits = randomFillSync(pool).toString("hex");
      at = 0;
    }
    if (nowMs !== lastMs) {
      lastMs = nowMs;
      const hex = Math.max(0, Math.trunc(nowMs)).toString(16).padStart(12, "0").slice(-12);
      time = `${hex.slice(0, 8)}-${hex.slice(8)}-7`;
    }
    const start = at;
    at += DIGITS;
    return `${time}${digits.slice(start + 1, start + 4)}-${variantDigit(digits.charCodeAt(start))}${digits.slice(start + 4, start + 7)}-${digits.slice(start + 7, start + 19)}`;
  };
}

/** A digit whose upper two bits say "the variant of RFC 9562" and whose lower two are the given digit's. */
function variantDigit(code: number): string {
  const value = code <= 0x39 ? code : code + 1;
  return "89ab"[value & 3] ?? "8";
}
