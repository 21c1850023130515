import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { capText, encodeJson, encodeText } from "../../src/audit/encode.ts";
import { type RequestPart, renderDecided, renderEvent, renderRecord } from "../../src/audit/record.ts";
import { redactHost, redactPath } from "../../src/audit/redact.ts";

/** Everything that ends a line, moves a cursor, reverses text or is no character. */
const NASTY = fc.constantFrom(
  "\r",
  "\n",
  "\u2028",
  "\u2029",
  "\u0085",
  "\u001b[2J",
  "\u009b31m",
  "\u0000",
  "\u007f",
  "\u202e",
  "\u2066",
  "\ufeff",
  "\ud800",
  "\udfff",
  '"',
  "\\",
  '","effect":"allow","x":"',
  "}\n{",
  "\u200f",
  "💥",
);
const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 60 }),
  fc
    .array(fc.oneof(NASTY, fc.string({ unit: "grapheme", maxLength: 5 })), { maxLength: 12 })
    .map((parts) => parts.join("")),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 20 }).map((units) => String.fromCharCode(...units)),
);

/** Printable ASCII, and above it no control, separator, bidirectional control or lone surrogate. */
const ONE_SAFE_LINE =
  /^[\x20-\x7e\u00a0-\u061b\u061d-\u200a\u2010-\u2027\u202f-\u205f\u2070-\ud7ff\ue000-\ufefe\uff00-\ufff8\ufffc-\uffff\u{10000}-\u{10ffff}]*$/u;

describe("texts", () => {
  test("any text becomes one safe line that parses back to itself", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const line = encodeText(text);
        expect(line).toMatch(ONE_SAFE_LINE);
        expect(JSON.parse(line)).toBe(text);
        expect(encodeJson({ [text]: [text] })).toMatch(ONE_SAFE_LINE);
      }),
      { numRuns: 3000 },
    );
  });

  test("every single code unit does", () => {
    for (let unit = 0; unit <= 0xffff; unit += 1) {
      const text = String.fromCharCode(unit);
      const line = encodeText(text);
      if (!ONE_SAFE_LINE.test(line) || JSON.parse(line) !== text) expect.fail(`U+${unit.toString(16)}: ${line}`);
    }
  });

  test("long texts are cut with a mark that says so", () => {
    expect(capText("a".repeat(1024))).toHaveLength(1024);
    expect(capText("a".repeat(5000))).toBe(`${"a".repeat(1024)}…[5000 characters]`);
  });
});

describe("records", () => {
  const decided = (text: string) => ({
    revision: text,
    seat: "server" as const,
    subject: { spiffeId: text, namespace: text, serviceAccount: text },
    target: { host: text, port: text, protocol: "http" as const },
    effect: "deny" as const,
    shadow: "deny" as const,
    reason: text,
    rules: [text],
    shadowRules: [text],
    owner: text,
    ticket: text,
  });
  const request = (text: string): RequestPart => ({
    timeMs: 1_795_000_000_000,
    id: "01a208b9-c90c-717d-b1f6-16f0476a57c0",
    cacheHit: true,
    method: text,
    path: text,
    requestId: text,
    traceId: text,
    gateway: text,
    latencyUs: 12,
    headers: null,
    seated: null,
  });

  test("whatever callers send, a record is one safe line whose fields cannot be forged", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const line = renderRecord(7, renderDecided(decided(text)), request(text));
        expect(line).toMatch(ONE_SAFE_LINE);
        const record = JSON.parse(line);
        expect([record.effect, record.seq, record.cacheHit, record.latencyUs]).toEqual(["deny", 7, true, 12]);
        expect(record.subject.spiffeId).toBe(text);
        if (/[?#@]/.test(text)) return;
        expect(record.target.host).toBe(text);
        expect(record.target.path).toBe(text);
      }),
      { numRuns: 2000 },
    );
  });

  test("fields come in the documented order", () => {
    const record = JSON.parse(renderRecord(1, renderDecided(decided("x")), request("/x")));
    expect(Object.keys(record)).toEqual([
      "time",
      "id",
      "seq",
      "revision",
      "seat",
      "subject",
      "target",
      "effect",
      "shadow",
      "reason",
      "rules",
      "shadowRules",
      "owner",
      "ticket",
      "cacheHit",
      "requestId",
      "traceId",
      "gateway",
      "latencyUs",
    ]);
    expect(Object.keys(record.subject)).toEqual(["spiffeId", "namespace", "serviceAccount"]);
    expect(Object.keys(record.target)).toEqual(["host", "port", "protocol", "method", "path"]);
  });

  test("a query is never recorded", () => {
    const line = renderRecord(1, renderDecided(decided("x")), { ...request("x"), path: "/v1/pay?card=4242&x=?" });
    expect(line).not.toContain("4242");
    expect(JSON.parse(line).target.path).toBe("/v1/pay");
  });

  test("long hosts are cut", () => {
    const line = renderRecord(1, renderDecided(decided("h".repeat(9000))), request("/"));
    expect(JSON.parse(line).target.host).toBe(`${"h".repeat(1024)}…[9000 characters]`);
  });

  test("network connections have neither method nor path", () => {
    const line = renderRecord(1, renderDecided(decided("x")), { ...request("x"), method: null, path: null });
    expect(JSON.parse(line).target).toMatchObject({ method: null, path: null });
  });

  test("events are one safe line too", () => {
    const line = renderEvent(3, { event: "policies-rejected", timeMs: 0, detail: { why: "a\nb\u2028" } });
    expect(line).toMatch(ONE_SAFE_LINE);
    expect(JSON.parse(line)).toEqual({
      time: "1970-01-01T00:00:00.000Z",
      event: "policies-rejected",
      seq: 3,
      why: "a\nb\u2028",
    });
  });
});

test.each([
  ["api.example.com", "api.example.com"],
  ["user:secret@api.example.com", "…@api.example.com"],
  ["a@b@c", "…@c"],
  ["api.example.com?secret", "api.example.com"],
  ["api.example.com#secret@x", "api.example.com"],
])("of the host %s only %s is recorded", (host, recorded) => {
  expect(redactHost(host)).toBe(recorded);
});

test.each([
  ["/v1/a?b=secret#c", "/v1/a"],
  ["/v1/a#secret?x", "/v1/a"],
  ["/@scope/package@1.0.0", "/@scope/package@1.0.0"],
  ["https://user:secret@host/v1?x", "…@host/v1"],
  ["https://host/v1", "https://host/v1"],
  ["//user:secret@host/v1@2", "//…@host/v1@2"],
  ["//user:secret@host", "//…@host"],
  ["//host/@x", "//host/@x"],
  ["*", "*"],
])("of the path %s only %s is recorded", (path, recorded) => {
  expect(redactPath(path)).toBe(recorded);
});
