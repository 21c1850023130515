import { describe, expect, it } from "vitest";
import { parseDurationMs } from "../../src/policy/duration.ts";
import { parseInstant } from "../../src/policy/instant.ts";
import { suggest } from "../../src/policy/suggest.ts";
import {
  parseHeaderName,
  parseHeaderValue,
  parseMethod,
  parseName,
  parseTrustDomain,
  parseUpgrade,
} from "../../src/policy/token.ts";

const SIGNS = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));
const LOWER = "abcdefghijklmnopqrstuvwxyz";
const DIGITS = "0123456789";
const UPPER = LOWER.toUpperCase();

/** The signs, of all 256, with which `text(sign)` is accepted. */
function accepted(parse: (text: string) => { ok: boolean }, text: (sign: string) => string): string {
  return SIGNS.filter((sign) => parse(text(sign)).ok).join("");
}

function sorted(...sets: string[]): string {
  return [...sets.join("")].sort().join("");
}

describe("every byte", () => {
  it("of a method", () => {
    const token = sorted("!#$%&'*+-.^_`|~", LOWER, DIGITS, UPPER);
    for (const text of [(s: string) => `${s}X1`, (s: string) => `X${s}1`, (s: string) => `X1${s}`]) {
      expect(accepted(parseMethod, text)).toBe(token);
    }
  });

  it("of a header name", () => {
    const token = sorted("!#$%&'*+-.^_`|~", LOWER, DIGITS);
    for (const text of [(s: string) => s, (s: string) => `${s}x`, (s: string) => `x${s}y`, (s: string) => `x${s}`]) {
      expect(accepted(parseHeaderName, text)).toBe(token);
    }
  });

  it("of a header value", () => {
    const visible = SIGNS.filter((sign) => (sign >= " " && sign !== "\x7f" && sign !== ",") || sign === "\t");
    expect(accepted(parseHeaderValue, (sign) => `x${sign}y`)).toBe(visible.join(""));
    const tight = visible.filter((sign) => sign.trim() !== "").join("");
    expect(accepted(parseHeaderValue, (sign) => `${sign}x`)).toBe(tight);
    expect(accepted(parseHeaderValue, (sign) => `x${sign}`)).toBe(tight);
  });

  it("of an upgrade protocol", () => {
    const token = sorted("!#$%&'*+-.^_|~/", LOWER, DIGITS);
    for (const text of [(s: string) => s, (s: string) => `${s}x`, (s: string) => `x${s}y`, (s: string) => `x${s}`]) {
      expect(accepted(parseUpgrade, text)).toBe(token);
    }
  });

  it("of a name", () => {
    const ends = sorted(LOWER, DIGITS);
    expect(accepted(parseName, (sign) => sign)).toBe(ends);
    expect(accepted(parseName, (sign) => `${sign}a`)).toBe(ends);
    expect(accepted(parseName, (sign) => `a${sign}`)).toBe(ends);
    expect(accepted(parseName, (sign) => `a${sign}b`)).toBe(sorted("-", ends));
  });

  it("of a trust domain", () => {
    const signs = sorted("._-", LOWER, DIGITS);
    for (const text of [(s: string) => s, (s: string) => `${s}a`, (s: string) => `a${s}b`, (s: string) => `a${s}`]) {
      expect(accepted(parseTrustDomain, text)).toBe(signs);
    }
  });

  it("of a duration's number and unit", () => {
    expect(accepted(parseDurationMs, (sign) => `${sign}s`)).toBe(DIGITS);
    expect(accepted(parseDurationMs, (sign) => `1${sign}`)).toBe("hms");
  });
});

describe("lengths", () => {
  it.each([
    ["name", parseName, 63],
    ["trust domain", parseTrustDomain, 255],
    ["upgrade", parseUpgrade, 63],
  ] as const)("of a %s", (_what, parse, most) => {
    expect(parse("").ok).toBe(false);
    expect(parse("a".repeat(most)).ok).toBe(true);
    expect(parse("a".repeat(most + 1)).ok).toBe(false);
  });
});

describe("what was meant", () => {
  it.each([
    [parseMethod, "get", "GET"],
    [parseMethod, "Delete", "DELETE"],
    [parseHeaderName, "X-Team", "x-team"],
    [parseHeaderValue, " a ", "a"],
    [parseUpgrade, "WebSocket", "websocket"],
    [parseName, "Card Handlers", "card-handlers"],
    [parseTrustDomain, "spiffe://Mesh.example/ns/a", "mesh.example"],
    [parseInstant, "2027-03-31", "2027-03-31T00:00:00Z"],
  ] as const)("is told", (parse, text, fix) => {
    expect(parse(text)).toMatchObject({ ok: false, fix });
  });

  it("CONNECT is no method and no upgrade that a rule could open", () => {
    for (const text of ["CONNECT", "connect", "Connect"]) {
      expect(parseMethod(text).ok).toBe(false);
      expect(parseUpgrade(text).ok).toBe(false);
    }
  });

  it.each([
    ["prots", ["ports", "paths", "hosts"], "ports"],
    ["Gateway", ["EgressGateway", "gateway"], "gateway"],
    ["recieve", ["receive"], "receive"],
    ["zzz", ["ports", "paths"], null],
    ["", ["ports"], null],
    ["a", [], null],
  ])("of %s among %j", (word, candidates, meant) => {
    expect(suggest(word, candidates)).toBe(meant);
  });
});

describe("instants", () => {
  it.each([
    ["2027-03-31T00:00:00Z", Date.UTC(2027, 2, 31)],
    ["2027-03-31T02:00:00+02:00", Date.UTC(2027, 2, 31)],
    ["2027-03-30T20:30:00.250-03:30", Date.UTC(2027, 2, 31, 0, 0, 0, 250)],
    ["2028-02-29T23:59:59.9Z", Date.UTC(2028, 1, 29, 23, 59, 59, 900)],
  ])("reads %s", (text, value) => {
    expect(parseInstant(text)).toEqual({ ok: true, value });
  });

  it.each([
    "",
    "2027-03-31",
    "2027-03-31T00:00Z",
    "2027-03-31T00:00:00",
    "2027-03-31 00:00:00Z",
    "2027-03-31t00:00:00z",
    "2027-03-31T00:00:00.0001Z",
    "2027-02-29T00:00:00Z",
    "2100-02-29T00:00:00Z",
    "2027-13-01T00:00:00Z",
    "2027-00-01T00:00:00Z",
    "2027-04-31T00:00:00Z",
    "2027-04-00T00:00:00Z",
    "2027-04-01T24:00:00Z",
    "2027-04-01T00:60:00Z",
    "2027-04-01T00:00:60Z",
    "2027-04-01T00:00:00+24:00",
    "2027-04-01T00:00:00+01:60",
    "+12027-04-01T00:00:00Z",
    "1800000000",
  ])("refuses %s", (text) => {
    expect(parseInstant(text).ok).toBe(false);
  });
});

it.each([
  ["250ms", 250],
  ["5s", 5_000],
  ["1m30s", 90_000],
  ["1h", 3_600_000],
  ["0s", 0],
])("reads the duration %s", (text, value) => {
  expect(parseDurationMs(text)).toEqual({ ok: true, value });
});

it.each(["", "5", "s", "1.5s", "-1s", "1 s", "1d", "1S", "1s ", "1000000000000s"])(
  "refuses the duration %j",
  (text) => {
    expect(parseDurationMs(text).ok).toBe(false);
  },
);
