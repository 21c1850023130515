import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv } from "ajv";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { createFileSink } from "../../src/audit/file-sink.ts";
import { renderDecided } from "../../src/audit/record.ts";
import { createSealSigner } from "../../src/audit/signature.ts";
import { createIdSource } from "../../src/server/decision-id.ts";
import { budgetFor } from "../property/budget.ts";
import { fileOptions, trailOver } from "./fixtures.ts";

const SCHEMA = JSON.parse(readFileSync(new URL("../../docs/audit.schema.json", import.meta.url), "utf8"));
const validate = new Ajv({ strict: false, allowUnionTypes: true }).compile(SCHEMA);
/** Anything that would end a line, hide text or turn it round. */
const UNPRINTABLE = /\p{Cc}|[\u2028\u2029\u202a-\u202e]|\p{Cs}/u;

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.constantFrom("a\r\nb", "\u001b[31m", "\u2028", "\ud800", "\u0000", '"\\'),
);
const maybe = fc.option(text, { nil: null });
const decided = fc.record({
  revision: maybe,
  seat: fc.constant("server" as const),
  subject: fc.record({ spiffeId: text, namespace: maybe, serviceAccount: maybe }),
  target: fc.record({
    host: text,
    port: fc.oneof(fc.integer({ min: 1, max: 65_535 }), text, fc.constant(null)),
    protocol: fc.constantFrom("http" as const, "tls" as const, "tcp" as const),
  }),
  effect: fc.constantFrom("allow" as const, "deny" as const),
  shadow: fc.constantFrom("allow" as const, "deny" as const),
  reason: fc.constantFrom("allowed-by-rule", "no-policy"),
  rules: fc.array(text, { maxLength: 3 }),
  shadowRules: fc.array(text, { maxLength: 3 }),
  owner: maybe,
  ticket: maybe,
});
const request = fc.record({
  timeMs: fc.integer({ min: 0, max: 4_000_000_000_000 }),
  cacheHit: fc.boolean(),
  requestId: maybe,
  traceId: maybe,
  gateway: maybe,
  latencyUs: fc.nat(),
  method: maybe,
  path: maybe,
  headers: fc.option(fc.array(fc.tuple(fc.stringMatching(/^[a-z-]{1,9}$/), text), { maxLength: 3 }), { nil: null }),
  seated: fc.option(
    fc.record({
      worker: fc.stringMatching(/^[0-9a-f]{32}$/),
      workerSeq: fc.integer({ min: 1 }),
      outcome: fc.option(
        fc.record({
          status: fc.option(fc.integer({ min: 100, max: 599 })),
          details: maybe,
          flags: fc.array(fc.stringMatching(/^[A-Z]{2,5}$/), { maxLength: 3 }),
          upstream: maybe,
          receivedBytes: fc.nat(),
          sentBytes: fc.nat(),
          durationMs: fc.nat(),
        }),
        { nil: null },
      ),
    }),
    { nil: null },
  ),
});

const budget = budgetFor(2_000);
/** So many lines are on their way before they are waited for: a sink that is told more than it can hold loses some. */
const AT_ONCE = 1_000;
/** As much as can be read back as one text. */
const MOST = 200_000;

it(
  "whatever callers say, each line of a trail is one printable line that the schema knows",
  async () => {
    const directory = mkdtempSync(join(tmpdir(), "sallyport-schema-"));
    const path = join(directory, "audit.jsonl");
    const { privateKey } = generateKeyPairSync("ed25519");
    const signer = createSealSigner(privateKey.export({ format: "pem", type: "pkcs8" }).toString());
    const open = () =>
      trailOver("drop", { file: (hooks) => createFileSink(fileOptions(path, { maxBytes: 1 << 30, signer }), hooks) });
    try {
      const trail = await open();
      const nextId = createIdSource();
      const { parameters } = budget;
      let count = 0;
      await fc.assert(
        fc.asyncProperty(decided, request, async (part, rest) => {
          count += 1;
          trail.decision(renderDecided(part), { ...rest, id: nextId(rest.timeMs) }, () => undefined);
          if (count % AT_ONCE === 0) await trail.flush();
        }),
        { ...parameters, numRuns: Math.min(parameters.numRuns, MOST) },
      );
      trail.event({ event: "checkpoint", detail: { taken: 1, written: 0, failed: 0, pending: 1 } });
      await trail.close();
      const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
      const decisions = lines.filter((line) => !("event" in JSON.parse(line)));
      expect(decisions).toHaveLength(count);
      for (const line of lines) {
        expect(UNPRINTABLE.test(line), line).toBe(false);
        expect(validate(JSON.parse(line)), `${line}: ${JSON.stringify(validate.errors)}`).toBe(true);
      }
      expect(lines.some((line) => line.includes('"signature"'))).toBe(true);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  },
  budget.timeoutMs,
);
