import { z } from "zod";

/** A list that may be left empty: `allowed_domains:`. */
const names = z.array(z.string()).nullish();

const rule = {
  project: z.string().nullish(),
  action: z.enum(["open", "report", "enforce"]),
  allowed_domains: names,
  mitm_domains: z
    .array(
      z.strictObject({
        domain: z.string(),
        add_headers: z.record(z.string(), z.string()).nullish(),
        detailed_http_logs: z.boolean().nullish(),
        detailed_http_logs_full_headers: names,
      }),
    )
    .nullish(),
  allowed_external_proxies: names,
};

/** An ACL file of Smokescreen. @see stripe/smokescreen v0.1.0, pkg/smokescreen/acl/v1 */
export const smokescreenAcl = z.strictObject({
  version: z.literal("v1"),
  services: z.array(z.strictObject({ name: z.string(), ...rule })),
  default: z.strictObject({ name: z.string().nullish(), ...rule }).nullish(),
  global_allow_list: names,
  global_deny_list: names,
});

export type SmokescreenAcl = z.output<typeof smokescreenAcl>;
export type SmokescreenRule = SmokescreenAcl["services"][number] | NonNullable<SmokescreenAcl["default"]>;

/** Which workloads have a role: `--roles`. */
export const rolesFile = z.record(
  z.string(),
  z
    .array(
      z.strictObject({
        serviceAccount: z.string().optional(),
        namespace: z.string().optional(),
        spiffe: z.string().optional(),
      }),
    )
    .min(1)
    .max(1000),
);
