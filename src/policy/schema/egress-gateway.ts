import { z } from "zod";
import { documentOf, fallback, line, nonEmpty, portNumber, text } from "./common.ts";

const authorizer = z.strictObject({
  service: line.describe("`name.namespace` of the authorization service."),
  port: portNumber.default(9191),
  timeout: text.default("250ms").describe("How long Envoy waits for an answer."),
  failOpen: z.boolean().default(false).describe("Let traffic pass while no authorizer answers. Never the default."),
});

const filter = z.strictObject({
  file: text.optional().describe("A file on the gateway. The default: /etc/sallyport/filter/sallyport-filter.wasm."),
  url: text.optional().describe("Where the gateway fetches it, with `sha256`."),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, "write 64 hexadecimal digits in lower case")
    .optional()
    .describe("SHA-256 of what is fetched: anything else is refused."),
  inline: z.literal(true).optional().describe("Carried by the generated configuration itself."),
  publicKeys: z
    .array(text)
    .max(4)
    .default([])
    .describe("PEM of public keys on P-256: policies and leases count only when the holder of one has signed them."),
});

const spec = z.strictObject({
  securityModel: z.enum(["AllowAny", "RegistryOnly", "Gateway"]).default("Gateway"),
  trustDomains: nonEmpty(text, 64).default(["cluster.local"]).describe("The mesh's own first, then aliases of it."),
  federatedTrustDomains: z.array(text).max(64).default([]).describe("Partners' domains."),
  clusterDomain: text.default("cluster.local"),
  fallback: fallback
    .optional()
    .describe("When no rule matches: deny (default; under AllowAny: report), report or allow."),
  selector: z.record(z.string(), z.string()).default({}).describe("Labels of the egress gateway's pods."),
  authorizer: authorizer.optional(),
  seat: z
    .enum(["server", "gateway"])
    .default("server")
    .describe("Who decides HTTP requests: the authorizer for each, or its filter within the gateway's Envoy."),
  filter: filter
    .prefault({})
    .describe("With `seat: gateway`, where Envoy gets the filter: one of file, url and inline."),
});

/** The one gateway of a policy set. */
export const egressGateway = documentOf("EgressGateway", spec);
export type EgressGatewaySpec = z.output<typeof spec>;
