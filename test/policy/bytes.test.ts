import { describe, expect, it } from "vitest";
import { parseHostPattern } from "../../src/policy/host-pattern.ts";
import { parsePathPattern } from "../../src/policy/path-pattern.ts";
import { parseSpiffeSelector } from "../../src/policy/spiffe-selector.ts";
import { parseHeaderName, parseMethod, parseName, parseTrustDomain, parseUpgrade } from "../../src/policy/token.ts";
import { canon } from "./policy-files.ts";

const LOWER = "abcdefghijklmnopqrstuvwxyz";
const DIGITS = "0123456789";
const ALNUM = LOWER + LOWER.toUpperCase() + DIGITS;
/** RFC 9110 §5.6.2 */
const TCHAR = `!#$%&'*+-.^_\`|~${ALNUM}`;

/** Every byte as one character, and some characters that are none. */
const SIGNS = [
  ...Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)),
  ..."ıſKßℂ。．｡\u00ad\u200b\u200d\u2024\ufeff\ufffd\u{1d41a}",
  "\ud800",
];

/** The signs that `accepts` takes; the others it must refuse. */
function taken(accepts: (sign: string) => boolean): string {
  return sorted(SIGNS.filter(accepts).join(""));
}

function sorted(signs: string): string {
  return [...new Set(signs)].sort().join("");
}

describe("every byte in a SPIFFE ID", () => {
  const id = (text: string) => canon.spiffeId(text) !== null;
  const domain = `${LOWER}${DIGITS}.-_`;
  const path = `${ALNUM}.-_`;

  it.each<[string, (sign: string) => string, string]>([
    ["scheme, first", (sign) => `${sign}piffe://a.b/c`, "s"],
    ["scheme, middle", (sign) => `spi${sign}fe://a.b/c`, "f"],
    ["scheme, last", (sign) => `spiff${sign}://a.b/c`, "e"],
    ["after the scheme", (sign) => `spiffe${sign}//a.b/c`, ":"],
    ["first slash", (sign) => `spiffe:${sign}/a.b/c`, "/"],
    ["second slash", (sign) => `spiffe:/${sign}a.b/c`, "/"],
    ["before it all", (sign) => `${sign}spiffe://a.b/c`, ""],
    ["after it all", (sign) => `spiffe://a.b/c${sign}`, path],
    ["trust domain, first", (sign) => `spiffe://${sign}b/c`, domain],
    // A slash in the middle ends the domain and starts a path.
    ["trust domain, middle", (sign) => `spiffe://a${sign}b/c`, `${domain}/`],
    ["trust domain, last", (sign) => `spiffe://a${sign}/c`, domain],
    ["trust domain, last, without path", (sign) => `spiffe://a${sign}`, domain],
    ["trust domain, alone", (sign) => `spiffe://${sign}/c`, domain],
    // `.` and one letter are no dot segment.
    ["segment, first", (sign) => `spiffe://a.b/${sign}c/d`, path],
    ["segment, middle", (sign) => `spiffe://a.b/c${sign}d/e`, `${path}/`],
    ["segment, last", (sign) => `spiffe://a.b/c${sign}/d`, path],
    ["segment, alone", (sign) => `spiffe://a.b/${sign}/d`, path.replace(".", "")],
    ["segment, beside a dot", (sign) => `spiffe://a.b/.${sign}/d`, path.replace(".", "")],
    ["last segment, alone", (sign) => `spiffe://a.b/c/${sign}`, path.replace(".", "")],
  ])("%s", (_where, text, expected) => {
    expect(taken((sign) => id(text(sign)))).toBe(sorted(expected));
  });

  it("is taken as it stands", () => {
    for (const sign of domain) {
      expect(canon.spiffeId(`spiffe://a${sign}b/c`)).toEqual({ trustDomain: `a${sign}b`, path: "/c" });
    }
    for (const sign of path) {
      expect(canon.spiffeId(`spiffe://a/b${sign}c`)).toEqual({ trustDomain: "a", path: `/b${sign}c` });
    }
  });

  it("no byte stands in for another between `/*` and its path", () => {
    const selects = (text: string) => parseSpiffeSelector(text, canon);
    expect(taken((sign) => selects(`spiffe://a/b/${sign}`).ok)).toBe(sorted(`${path.replace(".", "")}*`));
    expect(taken((sign) => selects(`spiffe://a/b${sign}*`).ok)).toBe("/");
    expect(taken((sign) => selects(`spiffe://a/${sign}/*`).ok)).toBe(sorted(path.replace(".", "")));
  });

  it("policy and request agree on what a trust domain is", () => {
    for (const sign of SIGNS) {
      expect([sign, parseTrustDomain(`a${sign}`).ok]).toEqual([
        sign,
        canon.spiffeId(`spiffe://a${sign}`) !== null && sign !== "/",
      ]);
    }
  });
});

describe("every byte in a host", () => {
  const inside = `${ALNUM}-_`;
  const edge = `${ALNUM}_`;
  const late = `${ALNUM}-`;

  it.each<[string, (sign: string) => string, string]>([
    ["first label, first", (sign) => `${sign}a.bc.de`, edge],
    ["first label, middle", (sign) => `a${sign}a.bc.de`, `${inside}.`],
    ["first label, last", (sign) => `a${sign}.bc.de`, edge],
    ["first label, alone", (sign) => `${sign}.bc.de`, edge],
    ["second of four, middle", (sign) => `x.a${sign}a.bc.de`, `${inside}.`],
    ["last but one, first", (sign) => `aa.${sign}b.de`, ALNUM],
    ["last but one, middle", (sign) => `aa.b${sign}c.de`, `${late}.`],
    ["last but one, last", (sign) => `aa.b${sign}.de`, ALNUM],
    ["last, first", (sign) => `aa.bc.${sign}d`, ALNUM],
    ["last, middle", (sign) => `aa.bc.d${sign}e`, `${late}.`],
    // One trailing dot is dropped; a colon would end the host, but its port is empty.
    ["last, last", (sign) => `aa.bc.d${sign}`, `${ALNUM}.`],
    ["last, alone", (sign) => `aa.bc.${sign}`, ALNUM.replace(/\d/g, "")],
    ["only label, middle", (sign) => `a${sign}b`, `${late}.`],
    ["between labels", (sign) => `aa${sign}bc.de`, `${late}.`],
  ])("%s", (_where, text, expected) => {
    expect(taken((sign) => canon.host(text(sign), "cluster.local") !== null)).toBe(sorted(expected));
  });

  it.each<[string, (sign: string) => string, string]>([
    ["first", (sign) => `a.bc:${sign}43`, "123456789"],
    ["middle", (sign) => `a.bc:4${sign}3`, DIGITS],
    ["last", (sign) => `a.bc:44${sign}`, DIGITS],
    ["alone", (sign) => `a.bc:${sign}`, "123456789"],
    ["fifth", (sign) => `a.bc:6553${sign}`, "012345"],
    ["before it", (sign) => `a.bc${sign}443`, `${ALNUM}-:`],
  ])("port, %s", (_where, text, expected) => {
    expect(taken((sign) => canon.host(text(sign), "cluster.local") !== null)).toBe(sorted(expected));
  });

  it("only case is folded", () => {
    for (const sign of SIGNS) {
      const found = canon.host(`a${sign}b.cd.ef`, "cluster.local");
      if (found !== null) expect(found.host).toBe(`a${sign.toLowerCase()}b.cd.ef`);
    }
  });

  it("a policy writes the canonical spelling and nothing else", () => {
    const lower = `${LOWER}${DIGITS}`;
    const pattern = (text: string) => parseHostPattern(text, canon, "cluster.local");
    expect(taken((sign) => pattern(`a${sign}a.bc.de`).ok)).toBe(sorted(`${lower}-_.`));
    expect(taken((sign) => pattern(`a.bc.de${sign}`).ok)).toBe(sorted(lower));
    expect(taken((sign) => pattern(`*${sign}bc.de`).ok)).toBe(".");
    expect(taken((sign) => pattern(`${sign}.bc.de`).ok)).toBe(sorted(`${lower}_*`));
  });

  it("in any other script is refused with the canonical spelling, where there is one", () => {
    for (const sign of SIGNS.filter((each) => each > "\u007f")) {
      const parsed = parseHostPattern(`a${sign}b.example.com`, canon, "cluster.local");
      expect([sign, parsed.ok]).toEqual([sign, false]);
      const fix = parsed.ok ? null : parsed.fix;
      if (fix !== null) expect(parseHostPattern(fix, canon, "cluster.local")).toMatchObject({ ok: true });
    }
  });
});

describe("every byte in a path pattern", () => {
  /** What may stand in a literal: nothing that makes a request path doubtful, and no operator. */
  const literal = sorted(
    SIGNS.filter((sign) => sign > "\u001f" && !"?#;\\%*{}\u007f".includes(sign) && sign.isWellFormed()).join(""),
  );

  it.each<[string, (sign: string) => string, string]>([
    ["the first", (sign) => `${sign}a`, "/"],
    ["segment, first", (sign) => `/${sign}a/b`, literal.replace("/", "")],
    ["segment, middle", (sign) => `/a${sign}b/c`, literal],
    ["segment, last", (sign) => `/a${sign}/c`, literal.replace("/", "")],
    ["segment, alone", (sign) => `/${sign}/c`, literal.replace(/[/.]/g, "")],
    ["segment, beside a dot", (sign) => `/.${sign}/c`, literal.replace(/[/.]/g, "")],
    ["the last", (sign) => `/a${sign}`, `${literal}*`],
    ["the last, after a slash", (sign) => `/a/${sign}`, `${literal.replace(/[/.]/g, "")}*`],
    ["before the `*` of a prefix", (sign) => `/a${sign}*`, literal],
    ["beside a template", (sign) => `/a${sign}b/{*}`, literal],
    ["before `{*}`", (sign) => `/a${sign}{*}`, "/"],
    ["after `{*}`", (sign) => `/{*}${sign}a`, "/"],
    ["in `{*}`", (sign) => `/{${sign}}`, "*"],
    ["in `{**}`", (sign) => `/{*${sign}}`, "*"],
    ["after `{**}`", (sign) => `/{**}${sign}`, ""],
  ])("%s", (_where, text, expected) => {
    expect(taken((sign) => parsePathPattern(text(sign)).ok)).toBe(sorted(expected));
  });
});

describe("every byte in", () => {
  const lowered = sorted(TCHAR.replace(/[A-Z]/g, ""));
  const dns = `${LOWER}${DIGITS}`;

  it.each<[string, (text: string) => { readonly ok: boolean }, string]>([
    ["a method", parseMethod, TCHAR],
    ["a header name", parseHeaderName, lowered],
    ["an upgrade", parseUpgrade, `${lowered.replace("`", "")}/`],
  ])("%s: first, middle, last and alone", (_what, parse, expected) => {
    for (const text of [(s: string) => `${s}yz`, (s: string) => `y${s}z`, (s: string) => `yz${s}`, (s: string) => s]) {
      expect(taken((sign) => parse(text(sign)).ok)).toBe(sorted(expected));
    }
  });

  it("a name: letters and digits, and `-` between them", () => {
    expect(taken((sign) => parseName(`${sign}a`).ok)).toBe(sorted(dns));
    expect(taken((sign) => parseName(`a${sign}a`).ok)).toBe(sorted(`${dns}-`));
    expect(taken((sign) => parseName(`a${sign}`).ok)).toBe(sorted(dns));
    expect(taken((sign) => parseName(sign).ok)).toBe(sorted(dns));
  });
});
