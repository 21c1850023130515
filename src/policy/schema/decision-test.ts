import { z } from "zod";
import { documentOf, nonEmpty, text } from "./common.ts";

const effect = z.enum(["allow", "deny"]);

const expectation = z.strictObject({
  effect: effect.optional(),
  reason: text.optional(),
  rules: z.array(text).max(1000).optional(),
  shadow: effect.optional(),
});

const spec = z.strictObject({
  now: text.describe("The instant at which every case is decided."),
  cases: nonEmpty(
    z.strictObject({
      name: text,
      from: text.describe("`namespace/serviceaccount` or a SPIFFE ID."),
      to: z
        .string()
        .min(1)
        .max(16_384)
        .describe("`METHOD http://host[:port]/path`, `TLS host[:port]` or `TCP host:port`."),
      headers: z.record(text, z.string().max(8192)).optional(),
      upgrade: text.optional(),
      expect: z.union([effect, expectation]),
    }),
    10_000,
  ),
});

/** What a policy set must decide. Lives in `*.test.yaml`. */
export const decisionTest = documentOf("DecisionTest", spec);
export type DecisionTestSpec = z.output<typeof spec>;
