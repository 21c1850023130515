import { z } from "zod";
import { LIMITS } from "../limits.ts";
import { documentOf, line, nonEmpty, portNumber, text } from "./common.ts";

const tls = z.strictObject({
  originate: z.enum(["gateway", "sidecar", "none"]).default("gateway").describe("Who turns HTTP into HTTPS."),
  port: portNumber.default(443).describe("The port dialled outside."),
  subjectAltNames: z
    .array(text)
    .max(64)
    .default([])
    .describe("Names the server's certificate must hold; default: the hosts."),
  minVersion: z.enum(["TLSV1_2", "TLSV1_3"]).default("TLSV1_2"),
  credentialName: line.optional().describe("Secret with our client certificate, for mutual TLS."),
  caCertificates: line.optional().describe("Secret or file with the CAs that may sign the server's certificate."),
});

const connections = z.strictObject({
  maxRequestsPerConnection: z.int().min(0).max(1_000_000_000).default(0),
  idleTimeout: text.default("300s"),
  share: z.enum(["all", "workload"]).default("all").describe("Whether workloads share connections to the outside."),
});

const spec = z.strictObject({
  hosts: nonEmpty(text, LIMITS.hostsPerService),
  ports: nonEmpty(
    z.strictObject({
      number: portNumber.describe("What the application dials."),
      protocol: z.enum(["HTTP", "HTTPS", "TLS", "GRPC", "TCP"]),
    }),
    LIMITS.portsPerService,
  ),
  tls: tls.optional(),
  connections: connections.optional(),
  mirror: z.strictObject({ service: text, percent: z.number().min(0).max(100) }).optional(),
  split: nonEmpty(z.strictObject({ service: text, weight: z.int().min(0).max(100) }), 64).optional(),
  addresses: nonEmpty(text, 256).optional().describe("CIDRs of a TCP service."),
  internal: z.boolean().default(false).describe("Lifts the guard for the hosts listed literally. Root only."),
});

/** The registry: what exists outside. */
export const externalService = documentOf("ExternalService", spec);
export type ExternalServiceSpec = z.output<typeof spec>;
