import * as fc from "fast-check";
import { expect, it } from "vitest";
import { parseHostPattern } from "../../src/policy/host-pattern.ts";
import { parseInstant } from "../../src/policy/instant.ts";
import { parsePathPattern } from "../../src/policy/path-pattern.ts";
import { parseRequestText } from "../../src/policy/request-text.ts";
import type { Result } from "../../src/policy/result.ts";
import { parseSpiffeSelector } from "../../src/policy/spiffe-selector.ts";
import { parseHeaderName, parseMethod, parseName, parseTrustDomain, parseUpgrade } from "../../src/policy/token.ts";
import { canon } from "./policy-files.ts";

const text = (...bits: readonly string[]) =>
  fc.array(fc.constantFrom(...bits), { maxLength: 7 }).map((parts) => parts.join(""));

const host = (each: string) => parseHostPattern(each, canon, "cluster.local");

it.each<[string, (text: string) => Result<unknown>, fc.Arbitrary<string>]>([
  ["a path", parsePathPattern, text("/", "*", "{*}", "{**}", "a", ".", "..", "%2f", "%41", "?", "#", ";", "\\", "\t")],
  [
    "a request",
    parseRequestText,
    text("GET", "TLS", "tls", "TCP", " ", "http://", "https://", "a", ".b", ":", "1", "/", "[::1]"),
  ],
  [
    "a SPIFFE selector",
    (each) => parseSpiffeSelector(each, canon),
    text("spiffe://", "SPIFFE:", "//", "A", "b", "/", "/*", "."),
  ],
  [
    "a host",
    host,
    text("*.", "A", "b.", ".", "é", "::1", "[", "]", ":", "1", "co.uk", "COM", "。", "_", "-", "://", "/", "@"),
  ],
  ["a method", parseMethod, text("get", "Post", "connect", "x", " ")],
  ["a header name", parseHeaderName, text("X", "-", "a", "é", ":")],
  ["an upgrade", parseUpgrade, text("Web", "socket", "CONNECT", "/", "İ")],
  ["a name", parseName, text("A", "b", "-", "_", " ", "é", "İ", "x".repeat(62))],
  ["a trust domain", parseTrustDomain, text("spiffe://", "A", "b", "/", ".", "é")],
  ["an instant", parseInstant, text("2027-", "2028-", "02-", "12-", "29", "31", "T", "00:00:00", "Z")],
])("what %s is told to be instead is accepted", (_what, parse, texts) => {
  let fixes = 0;
  const check = (each: string) => {
    const parsed = parse(each);
    if (parsed.ok || parsed.fix === null) return;
    fixes++;
    // A fix that YAML would misread is given as it is written there.
    const fix = parsed.fix.startsWith('"') ? String(JSON.parse(parsed.fix)) : parsed.fix;
    expect([each, fix, parse(fix)]).toEqual([each, fix, { ok: true, value: expect.anything() }]);
  };
  fc.assert(fc.property(texts, check), { numRuns: 5_000, seed: 4291 });
  expect(fixes).toBeGreaterThan(0);
});
