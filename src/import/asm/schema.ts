import { z } from "zod";

const portNumber = z.int().min(1).max(65_535);

/** @see ASMEgressTrafficPolicy CRD description, Alibaba Cloud Service Mesh */
export const egressTrafficPolicy = z.strictObject({
  byEgressGateway: z.strictObject({ name: z.string() }),
  egressRules: z
    .array(
      z.strictObject({
        name: z.string().optional(),
        from: z
          .array(
            z.strictObject({ namespace: z.string(), workloadSelector: z.record(z.string(), z.string()).optional() }),
          )
          .optional(),
        to: z
          .array(
            z.strictObject({
              name: z.string().optional(),
              hosts: z.array(z.string()),
              port: z.strictObject({ name: z.string().optional(), number: portNumber, protocol: z.string() }),
              byEgressGateway: z.strictObject({ port: portNumber.optional() }).optional(),
              httpsUpgrade: z.strictObject({ enabled: z.boolean().optional(), port: portNumber.optional() }).optional(),
            }),
          )
          .optional(),
      }),
    )
    .optional(),
});
