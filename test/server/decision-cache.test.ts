import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { baseKey, fullKey } from "../../src/pdp/cache-key.ts";
import type { CheckInput, Decision, Dependencies, HeaderPair } from "../../src/pdp/decision.ts";
import { createPdp, type DecisionEngine, type Pdp } from "../../src/pdp/pdp.ts";
import { decision } from "./harness.ts";

const NOTHING: Dependencies = { method: false, path: false, contentType: false, headers: [] };

function input(changes: Partial<CheckInput> = {}): CheckInput {
  return { kind: "http", principal: "p", host: "h", port: "80", method: "GET", path: "/", headers: [], ...changes };
}

function pdpOf(decide: DecisionEngine["decide"], maxCacheBytes = 1 << 22): Pdp<Decision> {
  const pdp = createPdp<Decision>({ render: (each) => each, sizeOf: () => 500, maxCacheBytes });
  pdp.install({ revision: "r1", headers: [], decide });
  return pdp;
}

describe("when an answer is kept", () => {
  test("for the span it holds, and never by a clock set back", () => {
    let asked = 0;
    const pdp = pdpOf(() => {
      asked += 1;
      return decision({ validUntil: 2000 });
    });
    const hits = [1000, 1999, 2000, 1500, 999, 998, 1999].map((now) => pdp.decide(input(), now)?.hit);
    // At 2000 it ended and was asked again for [2000, 2000): nothing holds, so every later instant asks anew.
    expect(hits).toEqual([false, true, false, false, false, false, true]);
    expect(asked).toBe(5);
  });

  test("an answer without an end does not hold before it was given", () => {
    const pdp = pdpOf(() => decision());
    expect([5000, 4999, 4999, 6000].map((now) => pdp.decide(input(), now)?.hit)).toEqual([false, false, true, true]);
  });

  test("never when the decision may not be kept", () => {
    const pdp = pdpOf(() => decision({ cacheable: false }));
    expect([1, 2, 3].map((now) => pdp.decide(input(), now)?.hit)).toEqual([false, false, false]);
    expect(pdp.cacheEntries).toBe(0);
  });

  test("never across revisions", () => {
    const pdp = pdpOf(() => decision());
    pdp.decide(input(), 1);
    pdp.install({ revision: "r2", headers: [], decide: () => decision({ effect: "deny" }) });
    expect(pdp.decide(input(), 2)).toMatchObject({ hit: false, value: { effect: "deny" } });
    expect(pdp.revision).toBe("r2");
  });

  test("within the bound of bytes", () => {
    const pdp = pdpOf(() => decision(), 100_000);
    for (let n = 0; n < 1000; n += 1) pdp.decide(input({ host: `host-${n}` }), 1);
    expect(pdp.cacheBytes).toBeLessThanOrEqual(100_000);
    expect(pdp.cacheEntries).toBeGreaterThan(50);
    const none = pdpOf(() => decision(), 0);
    none.decide(input(), 1);
    expect(none.decide(input(), 1)?.hit).toBe(false);
  });

  test("a plain request's answer is not a websocket's, a CONNECT's or one with another Host", () => {
    const pdp = pdpOf(() => decision());
    pdp.decide(input(), 1);
    const others: Partial<CheckInput>[] = [
      { headers: [["upgrade", "websocket"]] },
      {
        headers: [
          ["upgrade", "websocket"],
          ["connection", "upgrade"],
        ],
      },
      { headers: [["upgrade", Uint8Array.of(0xff)]] },
      { headers: [[":protocol", "websocket"]] },
      { headers: [["host", "evil"]] },
      { method: "CONNECT" },
      { kind: "tls" },
      { port: null },
      { principal: "q" },
    ];
    for (const each of others) expect(pdp.decide(input(each), 1)?.hit, JSON.stringify(each)).toBe(false);
    for (const each of others) expect(pdp.decide(input(each), 1)?.hit, JSON.stringify(each)).toBe(true);
  });

  test("what the decision did not look at makes no difference", () => {
    const pdp = pdpOf(() => decision());
    pdp.decide(input(), 1);
    const same = input({
      method: "POST",
      path: "/x?y",
      headers: [
        ["x-request-id", "1"],
        ["host", "h"],
        ["connection", "close"],
      ],
    });
    expect(pdp.decide(same, 1)?.hit).toBe(true);
  });

  test("the query never makes a difference, the path before it does", () => {
    const pdp = pdpOf(() => decision({ dependsOn: { ...NOTHING, path: true } }));
    const hit = (path: string) => pdp.decide(input({ path }), 1)?.hit;
    expect([hit("/a"), hit("/a?x"), hit("/a?x?y"), hit("/b"), hit("/a/")]).toEqual([false, true, true, false, false]);
  });
});

const text = fc.oneof(
  fc.constantFrom("", "a", "1:a", "|", ";", "m3:GET", "-", "u", "s", ":", "1", "2:"),
  fc.string({ maxLength: 6 }),
);
const value: fc.Arbitrary<string | Uint8Array> = fc.oneof(text, fc.uint8Array({ maxLength: 3 }));
const name = fc.constantFrom("host", "upgrade", "connection", ":protocol", "content-type", "x-a", "x-b");
const anyInput: fc.Arbitrary<CheckInput> = fc.record({
  kind: fc.constantFrom("http", "tls", "tcp"),
  principal: text,
  host: text,
  port: fc.option(text),
  method: fc.constantFrom("GET", "POST", "CONNECT", ""),
  path: text,
  headers: fc.array(fc.tuple(name, value), { maxLength: 4 }),
});
const anyDepends: fc.Arbitrary<Dependencies> = fc.record({
  method: fc.boolean(),
  path: fc.boolean(),
  contentType: fc.boolean(),
  headers: fc.subarray(["x-a", "x-b"]),
});

/** The inputs that a key stands for, as plain data: the specification of a key. */
function essence(asked: CheckInput, depends: Dependencies): string {
  const values = (wanted: string) => asked.headers.filter((pair) => pair[0] === wanted).map((pair) => plain(pair));
  const http = asked.kind === "http";
  const upgrades = http ? values("upgrade") : [];
  return JSON.stringify([
    asked.kind,
    asked.principal,
    asked.host,
    asked.port,
    http && asked.method === "CONNECT",
    http ? asked.headers.filter(([key, each]) => key === "host" && each !== asked.host).map(plain) : [],
    upgrades,
    upgrades.length > 0 ? values("connection") : [],
    http && values(":protocol").length > 0,
    depends.method ? asked.method : null,
    depends.path ? asked.path.split("?", 1)[0] : null,
    depends.contentType ? values("content-type") : null,
    depends.headers.map((each) => [each, values(each)]),
  ]);
}

function plain([, raw]: HeaderPair): unknown {
  return typeof raw === "string" ? raw : [...raw];
}

describe("keys", () => {
  test("two requests have one key exactly if they agree in everything the key stands for", () => {
    const fields = fc.subarray(["kind", "principal", "host", "port", "method", "path", "headers"] as const);
    fc.assert(
      fc.property(anyInput, anyInput, fields, anyDepends, (one, another, changed, depends) => {
        const changes = Object.fromEntries(changed.map((field) => [field, another[field]]));
        const other = { ...one, ...changes };
        const same = fullKey(baseKey(one), one, depends) === fullKey(baseKey(other), other, depends);
        expect(same).toBe(essence(one, depends) === essence(other, depends));
      }),
      { numRuns: 30_000 },
    );
  });

  test("of forty thousand questions made to be mistaken for each other no two share an entry", () => {
    const asked = fc.sample(anyInput, { numRuns: 40_000, seed: 20_261_124 });
    const masks = fc.sample(anyDepends, { numRuns: 4, seed: 1 });
    let pairs = 0;
    for (const depends of masks) {
      const byKey = new Map<string, string>();
      const byEssence = new Map<string, string>();
      for (const each of asked) {
        const key = fullKey(baseKey(each), each, depends);
        const what = essence(each, depends);
        expect(byKey.get(key) ?? what).toBe(what);
        expect(byEssence.get(what) ?? key).toBe(key);
        byKey.set(key, what);
        byEssence.set(what, key);
      }
      // Each was compared with all others at once.
      pairs += (byKey.size * (byKey.size - 1)) / 2;
    }
    process.stderr.write(`cache keys: ${pairs.toLocaleString("en")} pairs of different questions\n`);
    expect(pairs).toBeGreaterThan(10_000_000);
  });

  test("no part can spell the boundary between parts", () => {
    const tricky = [
      [input({ principal: "a", host: "1:b" }), input({ principal: "a1:b", host: "" })],
      [input({ principal: "x1:y", host: "z" }), input({ principal: "x", host: "y1:z" })],
      [input({ host: "h", port: null }), input({ host: "h-", port: "" })],
      [
        input({
          headers: [
            ["upgrade", "a"],
            ["upgrade", "b"],
          ],
        }),
        input({ headers: [["upgrade", "a1:b"]] }),
      ],
      [input({ headers: [["upgrade", "a"]] }), input({ headers: [["upgrade", Uint8Array.of(0x61)]] })],
    ] as const;
    for (const [one, other] of tricky) expect(baseKey(one)).not.toBe(baseKey(other));
    expect(fullKey(baseKey(input()), input(), { ...NOTHING, path: true })).not.toBe(baseKey(input({ path: "/" })));
  });
});

/**
 * A decider that keeps the engine's promises: the answer is a function of the base inputs, the masked inputs and the
 * span of time; the mask may differ with the content type, as on a GRPC port.
 */
function promised(asked: CheckInput, now: number): Decision {
  const grpc = asked.host === "a";
  const isGrpc = asked.headers.some(([key, each]) => key === "content-type" && each === "a");
  const depends: Dependencies = {
    method: asked.host.length % 2 === 0 && (!grpc || isGrpc),
    path: asked.principal.length % 2 === 0 && (!grpc || isGrpc),
    contentType: grpc,
    headers: asked.port === null && (!grpc || isGrpc) ? ["x-a"] : [],
  };
  const span = Math.floor(now / 10);
  const answer = `${essence(asked, depends)} ${span}`;
  return decision({ rules: [answer], dependsOn: depends, validUntil: (span + 1) * 10, cacheable: asked.host !== ";" });
}

test("cached equals uncached, whatever is asked in whatever order at whatever time", () => {
  const step = fc.tuple(anyInput, fc.integer({ min: 0, max: 40 }));
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 1, maxLength: 60 }),
      fc.constantFrom(1 << 20, 6000, 2000),
      (steps, bytes) => {
        const pdp = pdpOf(promised, bytes);
        for (const [asked, now] of steps) {
          expect(pdp.decide(asked, now)?.value).toEqual(promised(asked, now));
          expect(pdp.cacheBytes).toBeLessThanOrEqual(bytes);
        }
      },
    ),
    { numRuns: 1500 },
  );
});
