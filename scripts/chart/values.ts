import { z } from "zod";
import { CONFIG_SCHEMA } from "../../src/cli/config-settings.ts";

const DNS_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const SPIFFE_ID = /^spiffe:\/\/[a-z0-9._-]+(\/[A-Za-z0-9._-]+)+(\/\*)?$/;
const label = (standard: string) => z.string().regex(DNS_LABEL).default(standard);
const optionalName = () =>
  z
    .string()
    .regex(/^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?)?$/)
    .default("");
const QUANTITY = z.union([z.string(), z.number()]);
const strings = () => z.record(z.string(), z.string());
/** Objects of Kubernetes' own API: the API server judges them. */
const objects = () => z.array(z.record(z.string(), z.unknown()));
const quantities = () =>
  z.strictObject({ requests: z.record(z.string(), QUANTITY), limits: z.record(z.string(), QUANTITY) }).partial();
const group = <Shape extends z.ZodRawShape>(shape: Shape) => z.strictObject(shape).prefault({} as never);

/** What the chart says itself, and what nobody needs in a Pod. */
const SETTINGS = CONFIG_SCHEMA.omit({
  policies: true,
  policySource: true,
  kubernetes: true,
  listen: true,
  allowedCallers: true,
  metricsReaders: true,
  tls: true,
  admin: true,
  probes: true,
  state: true,
});

const GATEWAY_POLICY = `# Lets nothing out. Your own policy set has its EgressGateway in a file of this name.
apiVersion: sallyport.dev/v1alpha1
kind: EgressGateway
metadata: {name: egress, namespace: istio-egress}
spec:
  securityModel: Gateway
  trustDomains: [cluster.local]
  fallback: deny
  selector: {istio: egressgateway}
  authorizer: {service: sallyport.sallyport-system, port: 9191, timeout: 250ms}
`;

function autoscaling(what: string, least: number, most: number) {
  return group({
    enabled: z.boolean().default(true).describe(`a HorizontalPodAutoscaler for ${what}, by the CPU of its container`),
    minReplicas: z.int().min(1).default(least).describe("replicas at least; with autoscaling off: replicas"),
    maxReplicas: z.int().min(1).default(most).describe("replicas at most"),
    targetCPU: z.int().min(1).max(100).default(60).describe("per cent of the requested CPU (docs/sizing.md)"),
  });
}

function placement() {
  return {
    zones: z
      .enum(["DoNotSchedule", "ScheduleAnyway"])
      .default("DoNotSchedule")
      .describe(
        "what happens to a Pod that would leave zones uneven; ScheduleAnyway where nodes carry no `topology.kubernetes.io/zone`",
      ),
    nodeSelector: strings().default({}).describe("labels of nodes to run on"),
    tolerations: objects().default([]).describe("taints to bear"),
    priorityClassName: optionalName().describe(
      "priority among Pods, e.g. `system-cluster-critical`: nothing leaves while none runs",
    ),
  };
}

/** Values of deploy/chart: types, standards and descriptions. values.yaml, values.schema.json and the table of its README are made of this. */
export const VALUES_SCHEMA = z.strictObject({
  name: label("sallyport").describe(
    "name of the Service and of everything beside it; `authorizer.service` of the EgressGateway is `<name>.<namespace>`",
  ),
  image: group({
    repository: z
      .string()
      .min(1)
      .default("sallyport")
      .describe("where your image is, made from the repository's Dockerfile"),
    tag: z.string().default("").describe("the chart's appVersion unless set"),
    digest: z
      .string()
      .regex(/^(sha256:[0-9a-f]{64})?$/)
      .default("")
      .describe("`sha256:…`; wins over the tag"),
    pullPolicy: z.enum(["Always", "IfNotPresent", "Never"]).default("IfNotPresent").describe("when nodes fetch it"),
    pullSecrets: z.array(z.string()).default([]).describe("names of Secrets to fetch it with"),
  }),
  policies: group({
    source: z
      .enum(["configMap", "customResources"])
      .default("configMap")
      .describe("where policies come from: `files` below, in ConfigMaps, or custom resources of the cluster"),
    files: z
      .record(z.string().regex(/^([a-z0-9-]+\/)*[A-Za-z0-9_.-]+\.ya?ml$/), z.string().nullable())
      .default({ "gateway.yaml": GATEWAY_POLICY })
      .describe("path in the policy directory → text; where a file lies says which namespace it speaks for"),
  }),
  allowedCallers: z
    .array(z.string().regex(SPIFFE_ID))
    .min(1)
    .default(["spiffe://cluster.local/ns/istio-egress/sa/egress"])
    .describe("SPIFFE IDs of the gateways, which alone may ask"),
  metricsReaders: z
    .array(z.string().regex(SPIFFE_ID))
    .default([])
    .describe("SPIFFE IDs that may read `/metrics` over mTLS (docs/configuration.md), e.g. of Prometheus"),
  tls: group({
    source: z
      .enum(["secret", "workloadApi", "istioAgent"])
      .default("secret")
      .describe(
        "where the server's certificate comes from: a Secret, a SPIFFE Workload API (SPIRE), or Istio's agent in a sidecar that captures no traffic",
      ),
    secretName: optionalName()
      .default("sallyport-tls")
      .describe("Secret with `tls.crt`, `tls.key` and `ca.crt`, e.g. of cert-manager"),
    workloadApi: group({
      csiDriver: z.string().min(1).default("csi.spiffe.io").describe("CSI driver that brings the socket's directory"),
      socket: z
        .string()
        .regex(/^[A-Za-z0-9._-]+$/)
        .default("spire-agent.sock")
        .describe("name of the socket in it"),
    }),
  }),
  audit: group({
    volume: group({
      enabled: z
        .boolean()
        .default(true)
        .describe(
          "a volume for each replica's trail, which outlives the Pod: the server is then a StatefulSet. Without: a Deployment, and `config.audit.to` must name what lasts",
        ),
      size: z
        .string()
        .regex(/^[0-9]+(Mi|Gi|Ti)$/)
        .default("10Gi")
        .describe("its size; more than `config.audit.maxSize` × `maxFiles`"),
      storageClassName: optionalName().describe("the cluster's standard class unless set"),
    }),
    keySecretName: optionalName().describe("Secret whose `key.pem` (Ed25519) signs the trail's seals"),
  }),
  bundleKeySecretName: optionalName().describe(
    "Secret whose `key.pem` (P-256) signs policies and leases for `seat: gateway`",
  ),
  config: SETTINGS.prefault({}).describe("further settings of the server, as in docs/configuration.md"),
  env: objects().default([]).describe("environment of the server, e.g. OTEL_EXPORTER_OTLP_HEADERS"),
  extraVolumes: objects().default([]).describe("volumes for what `config` names, e.g. a Kafka password"),
  extraVolumeMounts: objects().default([]).describe("where they are mounted"),
  autoscaling: autoscaling("the server", 2, 6),
  resources: quantities()
    .default({ requests: { cpu: "1", memory: "512Mi" }, limits: { memory: "768Mi" } })
    .describe("for 10,000 rules (docs/sizing.md); no CPU limit, since throttling is what Envoy times out on"),
  podAnnotations: strings().default({}).describe("annotations of the server's Pods"),
  ...placement(),
  guards: z
    .enum(["chart", "generate"])
    .default("chart")
    .describe(
      "who defines PeerAuthentication, AuthorizationPolicy and NetworkPolicy around the server: the chart, or `authorizer.yaml` of `sallyport generate istio` and `kubernetes`, under the same names",
    ),
  istio: group({
    enabled: z.boolean().default(true).describe("Istio's objects are made; off where its CRDs are not installed"),
  }),
  networkPolicy: group({
    enabled: z.boolean().default(true).describe("network policies are made"),
    egress: objects()
      .default([])
      .describe("egress rules beside DNS: where the trail goes, and with custom resources the API server"),
  }),
  gateway: group({
    enabled: z
      .boolean()
      .default(false)
      .describe("the egress gateway itself: Istio's proxy in a namespace of its own, which must be there"),
    name: label("egress").describe("name of the EgressGateway, of the Deployment and its Service"),
    namespace: label("istio-egress").describe("namespace of the EgressGateway"),
    selector: strings()
      .default({ istio: "egressgateway" })
      .describe("labels of its Pods: `selector` of the EgressGateway"),
    serviceAccount: label("egress").describe("whose SPIFFE ID is one of `allowedCallers`"),
    revision: z.string().default("").describe("Istio revision (`istio.io/rev`) that injects the proxy"),
    workers: z.int().min(1).default(1).describe("Envoy's worker threads in each Pod"),
    filterConfigMap: optionalName().describe(
      "ConfigMap with `sallyport-filter.wasm`, for `seat: gateway` with `filter.file`",
    ),
    pinned: z
      .boolean()
      .default(false)
      .describe("runs on nodes labelled and tainted `sallyport.dev/egress=true:NoSchedule` alone"),
    autoscaling: autoscaling("the gateway", 2, 6),
    resources: quantities()
      .default({ requests: { cpu: "1", memory: "256Mi" }, limits: { memory: "1Gi" } })
      .describe("of one Pod"),
    podAnnotations: strings().default({}).describe("annotations of its Pods"),
    ...placement(),
  }),
  global: z.record(z.string(), z.unknown()).default({}).describe("what a chart above this one hands down; not used"),
});

/** All standards. Of `config` only what is not the server's own standard. */
export const STANDARDS = { ...VALUES_SCHEMA.parse({}), config: { audit: { maxSize: "256MiB", maxFiles: 20 } } };
