import { z } from "zod";

const strings = z.array(z.string()).optional();
const portNumber = z.int().min(1).max(65_535);

const source = z.strictObject({
  principals: strings,
  notPrincipals: strings,
  requestPrincipals: strings,
  notRequestPrincipals: strings,
  namespaces: strings,
  notNamespaces: strings,
  serviceAccounts: strings,
  notServiceAccounts: strings,
  ipBlocks: strings,
  notIpBlocks: strings,
  remoteIpBlocks: strings,
  notRemoteIpBlocks: strings,
});

const operation = z.strictObject({
  hosts: strings,
  notHosts: strings,
  ports: strings,
  notPorts: strings,
  methods: strings,
  notMethods: strings,
  paths: strings,
  notPaths: strings,
});

const rule = z.strictObject({
  from: z.array(z.strictObject({ source: source.optional() })).optional(),
  to: z.array(z.strictObject({ operation: operation.optional() })).optional(),
  when: z.array(z.strictObject({ key: z.string(), values: strings, notValues: strings })).optional(),
});

/** What a policy is attached to instead of to pods. */
export const targetReference = z.looseObject({ kind: z.string().optional(), name: z.string().optional() });

/** @see Istio, Authorization Policy */
export const authorizationPolicy = z
  .strictObject({
    selector: z.strictObject({ matchLabels: z.record(z.string(), z.string()).optional() }).optional(),
    targetRef: targetReference.optional(),
    targetRefs: z.array(targetReference).optional(),
    action: z.enum(["ALLOW", "DENY", "AUDIT", "CUSTOM"]).default("ALLOW"),
    provider: z.unknown().optional(),
    rules: z.array(rule).optional(),
  })
  .prefault({});

export type AuthorizationRule = z.output<typeof rule>;
export type RuleSource = z.output<typeof source>;
export type RuleOperation = z.output<typeof operation>;

/** @see Istio, Service Entry */
export const serviceEntry = z.strictObject({
  hosts: z.array(z.string()),
  addresses: strings,
  ports: z
    .array(
      z.strictObject({
        number: portNumber,
        protocol: z.string().optional(),
        name: z.string().optional(),
        targetPort: portNumber.optional(),
      }),
    )
    .optional(),
  location: z.enum(["MESH_EXTERNAL", "MESH_INTERNAL"]).default("MESH_EXTERNAL"),
  resolution: z.string().optional(),
  endpoints: z.array(z.looseObject({ address: z.string().optional() })).optional(),
  workloadSelector: z.unknown().optional(),
  exportTo: strings,
  subjectAltNames: strings,
});

/** @see Istio, Sidecar */
export const sidecar = z.looseObject({
  workloadSelector: z.unknown().optional(),
  egress: z
    .array(
      z.looseObject({
        port: z.looseObject({ number: portNumber.optional() }).optional(),
        bind: z.string().optional(),
        captureMode: z.string().optional(),
        hosts: z.array(z.string()),
      }),
    )
    .optional(),
});

const tls = z.looseObject({
  mode: z.enum(["DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"]).optional(),
  credentialName: z.string().optional(),
  caCertificates: z.string().optional(),
  clientCertificate: z.string().optional(),
  subjectAltNames: strings,
  sni: z.string().optional(),
});

const trafficPolicy = z.looseObject({
  tls: tls.optional(),
  tunnel: z.unknown().optional(),
  portLevelSettings: z
    .array(z.looseObject({ port: z.looseObject({ number: portNumber }), tls: tls.optional() }))
    .optional(),
});

/** Of a DestinationRule, how it makes TLS, and its subsets. @see Istio, Destination Rule */
export const destinationRule = z.looseObject({
  host: z.string(),
  trafficPolicy: trafficPolicy.optional(),
  subsets: z
    .array(
      z.looseObject({
        name: z.string(),
        labels: z.record(z.string(), z.string()).optional(),
        trafficPolicy: trafficPolicy.optional(),
      }),
    )
    .optional(),
});

export type DestinationTls = z.output<typeof tls>;
