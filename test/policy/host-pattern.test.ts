import { isIPv6 } from "node:net";
import * as fc from "fast-check";
import ipaddr from "ipaddr.js";
import { describe, expect, it } from "vitest";
import { coveringPatterns, parseHostPattern, patternCovers, patternMatches } from "../../src/policy/host-pattern.ts";
import { canon } from "./policy-files.ts";

const CLUSTER = "cluster.local";
const RUNS = { numRuns: 500, seed: 5952 };
const host = (text: string) => canon.host(text, CLUSTER);
const parse = (text: string) => parseHostPattern(text, canon, CLUSTER);

const inner = fc.stringMatching(/^[a-z0-9_]([a-z0-9_-]{0,8}[a-z0-9_])?$/);
const late = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/);
const last = fc.stringMatching(/^[a-z]([a-z0-9-]{0,8}[a-z0-9])?$/);
const names = fc
  .tuple(fc.array(inner, { maxLength: 3 }), late, last)
  .map(([labels, beforeLast, end]) => [...labels, beforeLast, end].join("."));

const groups = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), { minLength: 8, maxLength: 8 });

/** One of the spellings of RFC 4291 §2.2: padded or not, either case, `::` for any run of zeros, a dotted tail or not. */
const spellings = fc
  .record({
    address: groups,
    padded: fc.boolean(),
    upper: fc.boolean(),
    dotted: fc.boolean(),
    from: fc.nat(7),
    length: fc.nat(8),
  })
  .map(({ address, padded, upper, dotted, from, length }) => {
    const hex = address.map((group) => group.toString(16).padStart(padded ? 4 : 0, "0"));
    const [high = 0, low = 0] = address.slice(6);
    const tail = dotted ? [[high >> 8, high & 255, low >> 8, low & 255].join(".")] : hex.slice(6);
    const parts = [...hex.slice(0, 6), ...tail];
    let run = 0;
    while (run < length && from + run < (dotted ? 6 : 8) && address[from + run] === 0) run++;
    const short = `${parts.slice(0, from).join(":")}::${parts.slice(from + run).join(":")}`;
    const text = run === 0 ? parts.join(":") : short;
    return { address, text: upper ? text.toUpperCase() : text };
  });

describe("names", () => {
  it("in any case, with a trailing dot, with a port are one host, and its canonical spelling stays", () => {
    const upper = fc.array(fc.boolean(), { minLength: 64, maxLength: 64 });
    fc.assert(
      fc.property(
        names,
        upper,
        fc.boolean(),
        fc.option(fc.integer({ min: 1, max: 65535 })),
        (name, cases, dot, port) => {
          const mixed = [...name].map((sign, i) => (cases[i % 64] ? sign.toUpperCase() : sign)).join("");
          const spelled = `${mixed}${dot ? "." : ""}${port === null ? "" : `:${port}`}`;
          expect(host(name)).toMatchObject({ kind: "name", host: name, port: null });
          expect(host(spelled)).toEqual({ ...host(name), port });
        },
      ),
      RUNS,
    );
  });

  it("a policy takes the canonical spelling only, and any other is answered with it", () => {
    fc.assert(
      fc.property(names, fc.constantFrom("", "*."), (name, star) => {
        const upper = `${star}${name.toUpperCase()}`;
        const plain = `${star}${name}`;
        if (upper !== plain) expect(parse(upper)).toMatchObject({ ok: false, fix: plain });
        expect(parse(`${plain}.`)).toMatchObject({ ok: false, fix: plain });
        expect(parse(`${plain}:443`)).toMatchObject({ ok: false, fix: plain });
        if (star === "") expect(parse(plain)).toMatchObject({ ok: true, value: { pattern: plain } });
      }),
      RUNS,
    );
  });
});

describe("IPv6 addresses", () => {
  it("in any spelling have the one form that others know too", () => {
    fc.assert(
      fc.property(spellings, ({ address, text }) => {
        expect(isIPv6(text)).toBe(true);
        const known = new URL(`http://[${text}]/`).hostname;
        expect(host(`[${text}]`)).toEqual({ kind: "ipv6", host: known, port: null, guarded: true });
        expect(known).toBe(`[${new ipaddr.IPv6(address).toRFC5952String()}]`);
        expect(host(known)?.host).toBe(known);
        expect(host(text)).toBeNull();
      }),
      RUNS,
    );
  });

  it("with one sign put in, left out or changed are taken exactly where node takes them", () => {
    const signs = fc.constantFrom(...":.0123456789abcdefABCDEFgx%/ []-");
    fc.assert(
      fc.property(spellings, fc.nat(), fc.constantFrom(0, 1), signs, fc.boolean(), ({ text }, at, cut, sign, put) => {
        const i = at % (text.length + 1);
        const broken = text.slice(0, i) + (put ? sign : "") + text.slice(i + cut);
        expect([broken, host(`[${broken}]`) !== null]).toEqual([broken, isIPv6(broken) && !broken.includes("%")]);
      }),
      { ...RUNS, numRuns: 3_000 },
    );
  });
});

describe("IPv4 addresses", () => {
  it("are four plain decimals, and no other spelling is any host", () => {
    fc.assert(
      fc.property(fc.ipV4(), (text) => {
        expect(host(text)).toEqual({ kind: "ipv4", host: text, port: null, guarded: true });
        const [a = 0, b = 0, c = 0, d = 0] = text.split(".").map(Number);
        const whole = ((a * 256 + b) * 256 + c) * 256 + d;
        const others = [
          `${whole}`,
          `0x${whole.toString(16)}`,
          `${a}.${(b * 256 + c) * 256 + d}`,
          `${a}.${b}.${c * 256 + d}`,
          `0x${a.toString(16)}.${b}.${c}.${d}`,
          `${a}.${b}.${c}.0x${d.toString(16)}`,
          `0${text}`,
          `${a}.${b}.${c}.0${d}`,
          `${text}.1`,
          `${a}.${b}.${c}.${d + 256}`,
        ];
        for (const other of others) expect([other, host(other)]).toEqual([other, null]);
      }),
      RUNS,
    );
  });
});

describe("wildcards", () => {
  it.each(["*", "*.com", "*.co.uk", "*.github.io", "*.s3.amazonaws.com", "*.local", "*.10.0.0.1", "*.[::1]"])(
    "%s would open too much",
    (text) => expect(parse(text).ok).toBe(false),
  );

  it.each([
    "*.",
    "**.example.com",
    "*example.com",
    "a.*.example.com",
    "*.*.example.com",
    "example.*",
    "*.example.com:*",
  ])("%s is none", (text) => expect(parse(text).ok).toBe(false));

  it.each(["*.example.com", "*.example.co.uk", "*.acme.github.io", "*.a.b.example.com"])("%s is one", (text) => {
    expect(parse(text)).toEqual({ ok: true, value: { pattern: text, guarded: false } });
  });

  it("cover what lies below them by whole labels, never themselves without the star", () => {
    fc.assert(
      fc.property(names, names, (name, other) => {
        const below = `${other}.${name}`;
        expect(patternMatches(`*.${name}`, below)).toBe(true);
        expect(patternCovers(`*.${name}`, `*.${below}`)).toBe(true);
        expect(patternCovers(`*.${name}`, `*.${name}`)).toBe(true);
        expect(patternMatches(`*.${name}`, name)).toBe(false);
        expect(patternMatches(`*.${name}`, `${other}${name}`)).toBe(false);
        expect(patternCovers(`*.${below}`, `*.${name}`)).toBe(false);
        expect(patternCovers(name, `*.${name}`)).toBe(false);
        const covering = [...coveringPatterns(below)];
        expect(covering).toContain(`*.${name}`);
        for (const pattern of covering) expect(patternCovers(pattern, below)).toBe(true);
      }),
      RUNS,
    );
  });
});

describe("what else is written where a host belongs", () => {
  it.each([
    ["https://api.example.com", /leave out the scheme/, null],
    ["user@api.example.com", /leave out the user part/, null],
    ["api.example.com/v1", /paths go into `paths`/, null],
    ["api.example.com:8443", /ports go into `ports`/, "api.example.com"],
    ["", /it is empty/, null],
    ["bücher.example.com", /not in canonical form/, "xn--bcher-kva.example.com"],
    ["*.BÜCHER.example.com", /not in canonical form/, "*.xn--bcher-kva.example.com"],
    ["2001:db8::1", /stands in brackets/, '"[2001:db8::1]"'],
    ["[2001:DB8:0::1]", /not in canonical form/, "[2001:db8::1]"],
    ["10.0.0.01", /four plain decimals/, null],
    ["my_host.com", /`_` is allowed except/, null],
  ])("%s", (text, message, fix) => {
    expect(parse(text)).toEqual({ ok: false, message: expect.stringMatching(message), fix });
  });
});
