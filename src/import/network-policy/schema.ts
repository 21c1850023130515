import { z } from "zod";

const labels = z.record(z.string(), z.string());

/** Pods by labels, as Kubernetes and Cilium write it. */
const labelSelector = z.strictObject({
  matchLabels: labels.optional(),
  matchExpressions: z
    .array(z.strictObject({ key: z.string(), operator: z.string(), values: z.array(z.string()).optional() }))
    .optional(),
});

export type LabelSelector = z.output<typeof labelSelector>;

const portOf = z.union([z.string(), z.int()]);

const ciliumPorts = z.array(
  z.looseObject({
    ports: z
      .array(z.strictObject({ port: portOf.optional(), endPort: z.int().optional(), protocol: z.string().optional() }))
      .optional(),
  }),
);

/** What Cilium lets pods reach. Keys that are not listed bound it or name other peers. */
const ciliumEgress = z.looseObject({
  toFQDNs: z
    .array(z.strictObject({ matchName: z.string().optional(), matchPattern: z.string().optional() }))
    .optional(),
  toPorts: ciliumPorts.optional(),
});

const ciliumRule = z.strictObject({
  endpointSelector: labelSelector.optional(),
  nodeSelector: labelSelector.optional(),
  ingress: z.unknown().optional(),
  ingressDeny: z.unknown().optional(),
  egress: z.array(ciliumEgress).optional(),
  egressDeny: z.array(z.looseObject({ toPorts: ciliumPorts.optional() })).optional(),
  enableDefaultDeny: z.unknown().optional(),
  description: z.unknown().optional(),
  labels: z.unknown().optional(),
  log: z.unknown().optional(),
});

export type CiliumRule = z.output<typeof ciliumRule>;

/** `spec` or `specs` of a CiliumNetworkPolicy. @see Cilium, Network Policy */
export const ciliumPolicy = z.strictObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.unknown(),
  spec: ciliumRule.nullish(),
  specs: z.array(ciliumRule).nullish(),
  status: z.unknown().optional(),
});

/** @see GKE, FQDN network policies */
export const fqdnNetworkPolicy = z.strictObject({
  podSelector: labelSelector,
  egress: z
    .array(
      z.strictObject({
        matches: z.array(z.strictObject({ name: z.string().optional(), pattern: z.string().optional() })),
        ports: z
          .array(
            z.strictObject({ protocol: z.string().optional(), port: portOf.optional(), endPort: z.int().optional() }),
          )
          .optional(),
      }),
    )
    .optional(),
});

/** @see Calico Enterprise, Network policy */
export const calicoPolicy = z.strictObject({
  tier: z.string().optional(),
  order: z.number().nullish(),
  selector: z.string().optional(),
  namespaceSelector: z.string().optional(),
  serviceAccountSelector: z.string().optional(),
  types: z.array(z.string()).optional(),
  ingress: z.unknown().optional(),
  egress: z
    .array(
      z.strictObject({
        action: z.enum(["Allow", "Deny", "Log", "Pass"]),
        protocol: portOf.optional(),
        notProtocol: portOf.optional(),
        ipVersion: z.unknown().optional(),
        icmp: z.unknown().optional(),
        notICMP: z.unknown().optional(),
        source: z.unknown().optional(),
        http: z.unknown().optional(),
        metadata: z.unknown().optional(),
        destination: z
          .looseObject({ domains: z.array(z.string()).optional(), ports: z.array(portOf).optional() })
          .optional(),
      }),
    )
    .optional(),
  doNotTrack: z.unknown().optional(),
  preDNAT: z.unknown().optional(),
  applyOnForward: z.unknown().optional(),
  performanceHints: z.unknown().optional(),
  stagedAction: z.unknown().optional(),
});

/** Of a NetworkPolicy, whether it says anything of egress. */
export const networkPolicy = z.looseObject({
  egress: z.array(z.unknown()).nullish(),
  policyTypes: z.array(z.string()).optional(),
});
