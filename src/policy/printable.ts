/**
 * The same text with everything escaped that would break a line or steer a terminal: control characters, line and
 * paragraph separators, bidirectional overrides, lone surrogates. What a policy file holds may end up in any message.
 */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu,
    (sign) => `\\u{${(sign.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
