import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeCheckRequest, type ReceivedCheck } from "../../src/server/decode-check-request.ts";
import { createWantedNames, type WantedNames } from "../../src/server/wanted-names.ts";
import { generalCheck } from "../attack/general-check.ts";
import { CONTRACT, httpCheck } from "./harness.ts";

const CHECK = CONTRACT.authorizationClient.Check;
const EVERY: WantedNames = { find: (bytes, start, end) => bytes.toString("utf8", start, end).toLowerCase() };

const text = fc.oneof(
  fc.string({ maxLength: 10 }),
  fc.string({ unit: "grapheme", maxLength: 40 }),
  fc.string({ minLength: 120, maxLength: 20_000 }),
);
const name = fc.constantFrom(":path", "host", "x-a", "X-Team", "constructor", "a-rather-long-name".repeat(5));
const header = fc.record(
  { key: name, value: text, raw_value: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)) },
  { requiredKeys: ["key"] },
);
const http = fc.record(
  {
    method: text,
    path: text,
    host: text,
    headers: fc.dictionary(name, text, { maxKeys: 3 }),
    header_map: fc.record({ headers: fc.array(header, { maxLength: 4 }) }),
  },
  { requiredKeys: [] },
);
const message = fc.record({
  attributes: fc.record(
    {
      source: fc.record({ principal: text, certificate: text, service: text }, { requiredKeys: [] }),
      destination: fc.record({ principal: text, service: text }, { requiredKeys: [] }),
      request: fc.record({ http }),
      context_extensions: fc.dictionary(fc.constantFrom("sallyport.port", "sallyport.host", "other"), text),
      tls_session: fc.record({ sni: text }),
    },
    { requiredKeys: [] },
  ),
});

function ours({ http: asked, ...rest }: ReceivedCheck): Record<string, unknown> {
  const raw = asked?.raw.map(([key, value]) => [key, Buffer.from(value as string).toString("latin1")]);
  return { ...rest, http: asked === null ? null : { ...asked, raw } };
}

test("reads what the general decoder reads", () => {
  fc.assert(
    fc.property(message, (each) => {
      const bytes = CHECK?.requestSerialize(each) as Buffer;
      expect(ours(decodeCheckRequest(bytes, EVERY))).toEqual(generalCheck(bytes));
    }),
    { numRuns: 500 },
  );
});

test("bytes cut off or turned never read as more than the general decoder accepts, and never hang", () => {
  const whole = CHECK?.requestSerialize(httpCheck({ headers: [["x-a", "1"]] })) as Buffer;
  const outcomes = { accepted: 0, refused: 0 };
  const attempt = (bytes: Buffer): void => {
    try {
      decodeCheckRequest(bytes, EVERY);
      outcomes.accepted += 1;
    } catch {
      outcomes.refused += 1;
      return;
    }
    expect(() => CHECK?.requestDeserialize(bytes)).not.toThrow();
  };
  for (let length = 1; length < whole.length; length += 1) attempt(whole.subarray(0, length));
  // Cut anywhere it is no message: the outermost length says how much is missing.
  expect(outcomes.accepted).toBe(0);
  for (let at = 0; at < whole.length; at += 1) {
    for (const bit of [1, 2, 4, 8, 16, 128]) {
      const turned = Buffer.from(whole);
      turned[at] = (turned[at] ?? 0) ^ bit;
      attempt(turned);
    }
  }
  expect(outcomes.accepted).toBeGreaterThan(100);
});

test("a part that comes twice is merged, as the wire format says", () => {
  const one = CHECK?.requestSerialize({ attributes: { source: { principal: "a", certificate: "c" } } }) as Buffer;
  const other = CHECK?.requestSerialize({ attributes: { source: { principal: "b" } } }) as Buffer;
  expect(decodeCheckRequest(Buffer.concat([one, other]), EVERY)).toMatchObject({ principal: "b", certificate: "c" });
});

describe("only wanted headers", () => {
  const filter = createWantedNames(["x-team", ":path", "y".repeat(80)]);

  test("are read, in either case, repeated ones repeated", () => {
    const headers = [
      ["x-team", "1"],
      ["X-TEAM", "2"],
      ["y".repeat(80), "3"],
    ] as const;
    const bytes = CHECK?.requestSerialize(httpCheck({ path: "/p", headers })) as Buffer;
    const { http: read } = decodeCheckRequest(bytes, filter);
    expect(read?.raw).toEqual([
      [":path", "/p"],
      ["x-team", "1"],
      ["x-team", "2"],
      ["y".repeat(80), "3"],
    ]);
  });

  test("others are skipped in both forms, and it is told that there were raw ones", () => {
    const headers = { "x-other": "1", "x-team": "2" };
    const header_map = { headers: [{ key: "cookie", raw_value: Buffer.from([0xff]) }] };
    const request = { http: { headers, header_map } };
    const read = decodeCheckRequest(CHECK?.requestSerialize({ attributes: { request } }) as Buffer, filter).http;
    expect(read).toMatchObject({ hasRaw: true, raw: [], joined: [["x-team", "2"]] });
  });
});
