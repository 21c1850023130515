import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeCheckResponse } from "../../src/server/encode-check-response.ts";
import type { CheckResponseMessage, HttpAnswerMessage } from "../../src/server/wire.ts";
import { CONTRACT } from "./harness.ts";

const text = fc.oneof(
  fc.string({ maxLength: 10 }),
  fc.string({ unit: "grapheme", maxLength: 200 }),
  fc.string({ minLength: 120, maxLength: 20_000 }),
);
const answer: fc.Arbitrary<HttpAnswerMessage> = fc.record({
  status: fc.record({ code: fc.constantFrom(0, 403, 503) }),
  headers: fc.array(
    fc.record({ header: fc.record({ key: text, value: text }), append_action: fc.constantFrom(0, 1, 2, 3) }),
    { maxLength: 3 },
  ),
  body: text,
});
const http: fc.Arbitrary<Partial<CheckResponseMessage>> = fc.oneof(
  fc.constant({}),
  fc.constant({ ok_response: {} }),
  fc.record({ denied_response: answer }),
  fc.record({ error_response: answer }),
);
const fields = fc.dictionary(text, fc.record({ stringValue: text }), { maxKeys: 4 });

test("the wire form is what the general encoder writes, read back", () => {
  const check = CONTRACT.authorizationClient.Check;
  fc.assert(
    fc.property(fc.nat({ max: 300 }), text, http, fc.option(fields), (code, message, body, metadata) => {
      const answered: CheckResponseMessage = {
        status: { code, message },
        ...body,
        ...(metadata === null ? {} : { dynamic_metadata: { fields: metadata } }),
      };
      const read = (bytes: Buffer) => plain(check?.responseDeserialize(bytes));
      expect(read(encodeCheckResponse(answered))).toEqual(read(check?.responseSerialize(answered) ?? Buffer.alloc(0)));
    }),
    { numRuns: 1000 },
  );
});

/** Without fields that hold their default, which may be written or left out. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(
    ([, each]) => each !== "" && each !== 0 && !(Array.isArray(each) && each.length === 0),
  );
  return Object.fromEntries(kept.map(([key, each]) => [key, plain(each)]));
}
