import { describe, expect, it } from "vitest";
import { LIMITS } from "../../src/policy/limits.ts";
import { parsePathPattern } from "../../src/policy/path-pattern.ts";

const BYTES = Array.from({ length: 256 }, (_, byte) => byte);
const NEVER = new Set([..."?#;\\%"].map((sign) => sign.charCodeAt(0)));

/** May a literal hold it? Operators are judged apart. */
function isLiteral(byte: number): boolean {
  return byte >= 0x20 && byte !== 0x7f && !NEVER.has(byte) && !"*{}".includes(String.fromCharCode(byte));
}

describe("every byte", () => {
  it.each([
    ["in a literal", (sign: string) => `/a${sign}b/c`],
    ["at the end of a literal", (sign: string) => `/a/b${sign}c`],
    ["in a segment of a template", (sign: string) => `/a/x${sign}y/{*}`],
    ["in a prefix", (sign: string) => `/a/x${sign}y/*`],
  ])("%s", (_place, around) => {
    for (const byte of BYTES) {
      const { ok } = parsePathPattern(around(String.fromCharCode(byte)));
      expect([byte, ok]).toEqual([byte, isLiteral(byte)]);
    }
  });

  it("first: only a slash begins a path, and `*` alone is any path", () => {
    for (const byte of BYTES) {
      const sign = String.fromCharCode(byte);
      expect([byte, parsePathPattern(`${sign}a`).ok]).toEqual([byte, sign === "/"]);
      expect([byte, parsePathPattern(sign).ok]).toEqual([byte, sign === "/" || sign === "*"]);
    }
  });

  it("last: a star makes a prefix", () => {
    for (const byte of BYTES) {
      const sign = String.fromCharCode(byte);
      const parsed = parsePathPattern(`/a${sign}`);
      const kind = parsed.ok ? parsed.value.kind : null;
      expect([byte, kind]).toEqual([byte, sign === "*" ? "prefix" : isLiteral(byte) ? "exact" : null]);
    }
  });
});

it.each([
  ["/", { kind: "exact", text: "/" }],
  ["/a b/ü", { kind: "exact", text: "/a b/ü" }],
  ["/a/", { kind: "exact", text: "/a/" }],
  ["/.well-known/x", { kind: "exact", text: "/.well-known/x" }],
  ["/...", { kind: "exact", text: "/..." }],
  ["*", { kind: "prefix", text: "*", prefix: "" }],
  ["/*", { kind: "prefix", text: "/*", prefix: "/" }],
  ["/v1/ch*", { kind: "prefix", text: "/v1/ch*", prefix: "/v1/ch" }],
])("reads %s", (text, value) => {
  expect(parsePathPattern(text)).toEqual({ ok: true, value });
});

const ANY = { kind: "any" };
const REST = { kind: "rest" };
const literal = (text: string) => ({ kind: "literal", text });

it.each([
  ["/{*}", [ANY]],
  ["/{**}", [REST]],
  ["/{*}/{**}", [ANY, REST]],
  ["/v1/{*}/lines", [literal("v1"), ANY, literal("lines")]],
  ["/v1/{*}/", [literal("v1"), ANY, literal("")]],
])("reads the template %s", (text, segments) => {
  expect(parsePathPattern(text)).toEqual({ ok: true, value: { kind: "template", text, segments } });
});

it.each([
  "",
  "a",
  "{*}",
  "**",
  "*/a",
  "/a/*/b",
  "/**",
  "/a**",
  "/{**}/a",
  "/{**}/{**}",
  "/a{*}",
  "/{*}a",
  "/{*}{*}",
  "/{a}",
  "/{",
  "/}",
  "/{***}",
  "/{*}*",
  "/{*}/a*",
  "//",
  "/a//b",
  "/a//*",
  "/.",
  "/..",
  "/a/./b",
  "/a/../b",
  "/../*",
  "/\ud800",
  "http://a/b",
])("refuses %s", (text) => {
  expect(parsePathPattern(text)).toMatchObject({ ok: false, message: expect.stringMatching(/^[a-z`]/) });
});

it.each([
  ["/a?b=c", "/a"],
  ["/a#b", "/a"],
  ["/a%20b", "/a b"],
  ["/a//b", "/a/b"],
  ["v1/charges", "/v1/charges"],
  ["/a%2Fb%3F", null],
])("says what was meant by %s", (text, fix) => {
  expect(parsePathPattern(text)).toMatchObject({ ok: false, fix });
});

it("keeps to the limits", () => {
  const template = (segments: number): string => `${"/a".repeat(segments - 1)}/{*}`;
  expect(parsePathPattern(template(LIMITS.pathSegments)).ok).toBe(true);
  expect(parsePathPattern(template(LIMITS.pathSegments + 1)).ok).toBe(false);
  expect(parsePathPattern(`/${"a".repeat(LIMITS.pathBytes - 1)}`).ok).toBe(true);
  expect(parsePathPattern(`/${"a".repeat(LIMITS.pathBytes)}`).ok).toBe(false);
  expect(parsePathPattern(`/${"ü".repeat(LIMITS.pathBytes / 2)}`).ok).toBe(false);
});
