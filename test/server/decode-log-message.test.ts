import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeLogMessage, LogEntry } from "../../src/server/gateway/decode-log-message.ts";
import { outcomeOf } from "../../src/server/gateway/outcome.ts";
import { CONTRACT } from "./harness.ts";

const STREAM = CONTRACT.accessLogClient.StreamAccessLogs;
const ENTRY_PROTO = new URL("../../protos/envoy/data/accesslog/v3/accesslog.proto", import.meta.url);

/** Of the proto file: a flag's name by its number. */
const FLAG_NAMES = new Map(
  [...readFileSync(ENTRY_PROTO, "utf8").matchAll(/ {2}bool (\w+) = (\d+);/g)]
    .filter(([, name]) => name !== "intermediate_log_entry")
    .map(([, name = "", number]) => [Number(number), name]),
);

const text = fc.oneof(fc.string({ maxLength: 20 }), fc.string({ unit: "grapheme", maxLength: 40 }));
const count = fc.oneof(fc.nat(), fc.maxSafeNat());
const small = fc.nat(2 ** 31 - 1);
const state = fc.record({
  type_url: text,
  value: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
});
const flags = fc.uniqueArray(fc.constantFrom(...FLAG_NAMES.keys()), { maxLength: 4 });
const entry = fc.record({
  common_properties: fc.record(
    {
      upstream_remote_address: fc.record({ socket_address: fc.record({ address: text, port_value: small }) }),
      response_flags: flags.map((set) => Object.fromEntries(set.map((flag) => [FLAG_NAMES.get(flag), true]))),
      filter_state_objects: fc.dictionary(fc.constantFrom("wasm.sallyport.decision", "wasm.other", "envoy.x"), state),
      duration: fc.record({ seconds: count, nanos: fc.nat(999_999_999) }),
      intermediate_log_entry: fc.boolean(),
    },
    { requiredKeys: [] },
  ),
  request: fc.record({ request_body_bytes: count }, { requiredKeys: [] }),
  response: fc.record(
    { response_code: fc.record({ value: small }), response_body_bytes: count, response_code_details: text },
    { requiredKeys: [] },
  ),
});

interface General {
  readonly common_properties?: {
    readonly upstream_remote_address?: {
      readonly socket_address?: { readonly address?: string; readonly port_value?: number };
    };
    readonly response_flags?: Readonly<Record<string, boolean>>;
    readonly filter_state_objects?: Readonly<Record<string, { readonly value?: Buffer }>>;
    readonly duration?: { readonly seconds?: number; readonly nanos?: number };
    readonly intermediate_log_entry?: boolean;
  };
  readonly request?: { readonly request_body_bytes?: number };
  readonly response?: {
    readonly response_code?: { readonly value?: number };
    readonly response_body_bytes?: number;
    readonly response_code_details?: string;
  };
}

/** What the general decoder reads, in the terms of ours. */
function general(bytes: Buffer): readonly LogEntry[] {
  const message = STREAM?.requestDeserialize(bytes) as {
    readonly http_logs?: { readonly log_entry?: readonly General[] };
  };
  return (message.http_logs?.log_entry ?? []).map(({ common_properties: common = {}, request = {}, response = {} }) => {
    const { address = "", port_value: port = 0 } = common.upstream_remote_address?.socket_address ?? {};
    const { seconds = 0, nanos = 0 } = common.duration ?? {};
    return Object.assign(new LogEntry(), {
      report: common.filter_state_objects?.["wasm.sallyport.decision"]?.value ?? null,
      isIntermediate: common.intermediate_log_entry ?? false,
      status: response.response_code?.value ?? null,
      details: response.response_code_details ?? "",
      flags: [...FLAG_NAMES].filter(([, name]) => common.response_flags?.[name]).map(([number]) => number),
      ...{ address, port, seconds, nanos },
      receivedBytes: request.request_body_bytes ?? 0,
      sentBytes: response.response_body_bytes ?? 0,
    });
  });
}

const messageOf = (entries: readonly object[]): Buffer =>
  STREAM?.requestSerialize({ http_logs: { log_entry: entries } }) as Buffer;

/** A field of a message, with its length. */
const field = (number: number, ...parts: readonly Buffer[]): Buffer => {
  const bytes = Buffer.concat(parts);
  const tag = (number << 3) | 2;
  return Buffer.concat([Buffer.from([...(tag < 128 ? [tag] : [(tag & 127) | 128, tag >> 7]), bytes.length]), bytes]);
};

describe("an access log's message", () => {
  it("is read as the general decoder reads it", () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 4 }), (entries) => {
        const bytes = messageOf(entries);
        const read = decodeLogMessage(bytes);
        expect(read).toHaveLength(entries.length);
        expect(read).toEqual(general(bytes));
      }),
      { numRuns: 1_000 },
    );
  });

  it("cut off anywhere is refused", () => {
    const whole = messageOf([
      {
        common_properties: {
          response_flags: { upstream_overflow: true },
          filter_state_objects: { "wasm.sallyport.decision": { value: Buffer.from("report") } },
          duration: { seconds: 1, nanos: 2 },
        },
        response: { response_code: { value: 503 }, response_code_details: "x" },
      },
    ]);
    for (let length = 1; length < whole.length; length += 1) {
      expect(() => decodeLogMessage(whole.subarray(0, length)), `${length}`).toThrow();
    }
  });

  it("of any bytes is read or refused, and none is read beyond its message", () => {
    let read = 0;
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 2 }), fc.nat(), fc.nat(7), (entries, at, bit) => {
        const turned = messageOf(entries);
        const place = at % turned.length;
        turned[place] = (turned[place] ?? 0) ^ (1 << bit);
        try {
          for (const { report } of decodeLogMessage(turned)) {
            expect(report === null || turned.includes(report)).toBe(true);
          }
          read += 1;
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }),
      { numRuns: 2_000 },
    );
    expect(read).toBeGreaterThan(100);
  });

  it("may have fields that are newer, of any type, and the flag that is a message", () => {
    const flagsOf = field(16, field(13, Buffer.from([8, 1])), Buffer.from([0xe8, 0x01, 1]), Buffer.from([0x40, 1]));
    const newer = [field(30), Buffer.from([0xf5, 1, 1, 2, 3, 4]), Buffer.from([0xf8, 1, 0x80, 1])];
    const bytes = field(2, field(1, field(1, ...newer, flagsOf), field(5, Buffer.from("x"))));
    const [read = new LogEntry()] = decodeLogMessage(bytes);
    expect(outcomeOf(read).flags).toEqual(["flag-29", "UO"]);
  });

  it("of connections has no entry for us", () => {
    expect(decodeLogMessage(field(3, field(1, field(1))))).toEqual([]);
  });

  it.each([
    ["a group", Buffer.from([0x13, 0x14])],
    ["a number that does not end", field(2, field(1, field(3, Buffer.from([0x60, ...Array(11).fill(0x80)]))))],
    ["a part beyond its message", Buffer.from([0x12, 2, 0x0a, 5])],
  ])("with %s is refused", (_, bytes) => {
    expect(() => decodeLogMessage(bytes)).toThrow(RangeError);
  });
});

describe("what came of a request", () => {
  it("has Envoy's short name for each flag", () => {
    const read = Object.assign(new LogEntry(), { flags: [...FLAG_NAMES.keys()] });
    expect(outcomeOf(read).flags.join(" ")).toBe(
      "LH UH UT LR UR UF UC UO NR DI FI RL RLSE DC URX SI IH DPE UMSDR RFCF NFCF DT UPE NC OM DF DR",
    );
  });
});
