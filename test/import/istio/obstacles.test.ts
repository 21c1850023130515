import { describe, expect, it } from "vitest";
import { parseAssumedOpen } from "../../../src/import/assumed.ts";
import { importIstio } from "../../../src/import/istio/import.ts";
import { isUnknownKind } from "../../../src/import/istio/kinds.ts";
import { reportOf } from "../../../src/import/report.ts";
import { deciderOf, OPTIONS, sourceFile } from "../support/decide.ts";

const object = (apiVersion: string, kind: string, namespace: string, spec: string): string =>
  `---\napiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: one, namespace: ${namespace}}\nspec: ${spec}\n`;

const MESH = [
  object(
    "networking.istio.io/v1",
    "ServiceEntry",
    "istio-egress",
    "{hosts: [api.example.com, api.example.org], ports: [{number: 80, name: http, protocol: HTTP}, {number: 443, name: tls, protocol: TLS}]}",
  ),
  object("security.istio.io/v1", "AuthorizationPolicy", "istio-egress", "{rules: [{}]}"),
].join("");

const WORKLOADS = ["shop/web", "other/web"];
const TARGETS = ["GET http://api.example.com/", "TLS api.example.com:443", "TLS api.example.org:443"];

function importing(text: string, assumed: string | null = null) {
  const open = assumed === null ? null : parseAssumedOpen(assumed);
  const options = { ...OPTIONS, assumed: open === null ? [] : [open] };
  return importIstio([sourceFile("mesh.yaml", MESH + text)], null, options);
}

/** Who may still reach what: one sign for each workload and target. */
function left(text: string, assumed: string | null = null): string {
  const ours = deciderOf(importing(text, assumed));
  return WORKLOADS.map((from) => TARGETS.map((to) => (ours.allows({ from, to }) ? "+" : "-")).join("")).join(" ");
}

const ALL = "+++ +++";
const envoyFilter = (namespace: string, context: string, selector = "") =>
  object(
    "networking.istio.io/v1alpha3",
    "EnvoyFilter",
    namespace,
    `{${selector}configPatches: [{applyTo: HTTP_FILTER, match: {context: ${context}}, patch: {}}]}`,
  );
const wasm = (namespace: string, spec: string) =>
  object("extensions.istio.io/v1alpha1", "WasmPlugin", namespace, `{url: a, ${spec}}`);
const configMap = (mesh: string) =>
  `---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\ndata: {mesh: "${mesh}"}\n`;
const network = (namespace: string, spec: string) =>
  object("networking.k8s.io/v1", "NetworkPolicy", namespace, `{podSelector: {}, ${spec}}`);

describe("import istio", () => {
  it.each([
    ["an EnvoyFilter at the gateway", envoyFilter("istio-egress", "GATEWAY"), "--- ---"],
    ["an EnvoyFilter of the whole mesh", envoyFilter("istio-system", "ANY"), "--- ---"],
    [
      "an EnvoyFilter of other pods there",
      envoyFilter("istio-egress", "GATEWAY", "workloadSelector: {labels: {istio: other}}, "),
      ALL,
    ],
    ["an EnvoyFilter on the way out of sidecars", envoyFilter("shop", "SIDECAR_OUTBOUND"), "--- +++"],
    ["an EnvoyFilter on the way into sidecars", envoyFilter("shop", "SIDECAR_INBOUND"), ALL],
    [
      "an EnvoyFilter without patches",
      object("networking.istio.io/v1alpha3", "EnvoyFilter", "istio-egress", "{}"),
      ALL,
    ],
    ["a WasmPlugin of requests", wasm("istio-egress", ""), "-++ -++"],
    ["a WasmPlugin of connections", wasm("shop", "type: NETWORK"), "--- +++"],
    ["a WasmPlugin of servers", wasm("shop", "match: [{mode: SERVER}]"), ALL],
    [
      "a TrafficExtension in Lua",
      object("extensions.istio.io/v1alpha1", "TrafficExtension", "shop", "{lua: {inlineCode: a}}"),
      "-++ +++",
    ],
    [
      "a RequestAuthentication at the gateway",
      object("security.istio.io/v1", "RequestAuthentication", "istio-egress", "{jwtRules: [{issuer: a}]}"),
      "-++ -++",
    ],
    [
      "a RequestAuthentication of workloads",
      object("security.istio.io/v1", "RequestAuthentication", "shop", "{jwtRules: [{issuer: a}]}"),
      ALL,
    ],
    [
      "a PeerAuthentication",
      object("security.istio.io/v1", "PeerAuthentication", "istio-egress", "{mtls: {mode: STRICT}}"),
      ALL,
    ],
    ["settings that hide the registry", configMap("defaultServiceExportTo: ['.']"), "--- ---"],
    ["settings of another root", configMap("rootNamespace: mesh-config"), "--- ---"],
    ["settings of the same root", configMap("rootNamespace: istio-system\\naccessLogFile: /dev/stdout"), ALL],
    ["a kind that nobody knows yet", object("networking.istio.io/v2", "EgressRule", "shop", "{}"), "--- ---"],
    [
      "a waypoint's policy for an entry",
      object(
        "security.istio.io/v1",
        "AuthorizationPolicy",
        "apps",
        "{action: DENY, targetRefs: [{kind: ServiceEntry, name: one}], rules: [{}]}",
      ),
      ALL,
    ],
    [
      "a waypoint's policy for an entry beside it",
      object(
        "networking.istio.io/v1",
        "ServiceEntry",
        "apps",
        "{hosts: [api.example.org], ports: [{number: 8443, name: tls, protocol: TLS}]}",
      ) +
        object(
          "security.istio.io/v1",
          "AuthorizationPolicy",
          "apps",
          "{action: DENY, targetRefs: [{kind: ServiceEntry, name: one}], rules: [{}]}",
        ),
      "++- ++-",
    ],
    [
      "endpoints of an entry",
      object(
        "networking.istio.io/v1",
        "ServiceEntry",
        "shop",
        "{hosts: [api.example.org], ports: [{number: 443, name: tls, protocol: TLS}], endpoints: [{address: proxy.example.net}]}",
      ),
      "++- ++-",
    ],
    [
      "a tunnel",
      object(
        "networking.istio.io/v1",
        "DestinationRule",
        "shop",
        "{host: api.example.org, trafficPolicy: {tunnel: {targetHost: a, targetPort: 1}}}",
      ),
      "++- ++-",
    ],
    [
      "a Sidecar that captures nothing",
      object("networking.istio.io/v1", "Sidecar", "shop", '{egress: [{captureMode: NONE, hosts: ["*/*"]}]}'),
      "--- ---",
    ],
    ["a NetworkPolicy of pods", network("shop", "policyTypes: [Egress], egress: [{ports: [{port: 53}]}]"), "--- +++"],
    ["a NetworkPolicy that lets everything out", network("shop", "policyTypes: [Egress], egress: [{}]"), ALL],
    ["a NetworkPolicy of what comes in", network("shop", "ingress: []"), ALL],
    ["a NetworkPolicy of what comes to the gateway", network("istio-egress", "ingress: []"), "--- ---"],
    [
      "a policy of Cilium",
      object("cilium.io/v2", "CiliumNetworkPolicy", "shop", "{endpointSelector: {}, egressDeny: [{}]}"),
      "--- +++",
    ],
    [
      "a policy of the cluster's administrators",
      object("policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy", "shop", "{egress: [{action: Deny}]}"),
      "--- ---",
    ],
    [
      "a staged policy of Calico",
      object("projectcalico.org/v3", "StagedNetworkPolicy", "shop", "{types: [Egress]}"),
      ALL,
    ],
    [
      "a TLSRoute",
      object(
        "gateway.networking.k8s.io/v1",
        "TLSRoute",
        "istio-egress",
        "{hostnames: [api.example.org], parentRefs: [{name: egress}]}",
      ),
      "++- ++-",
    ],
    [
      "an HTTPRoute of all hosts at the gateway",
      object("gateway.networking.k8s.io/v1", "HTTPRoute", "istio-egress", "{parentRefs: [{name: egress}]}"),
      "-++ -++",
    ],
    [
      "an HTTPRoute of another gateway",
      object("gateway.networking.k8s.io/v1", "HTTPRoute", "shop", "{parentRefs: [{name: front}]}"),
      ALL,
    ],
  ])("opens nothing that another object may refuse: %s", (_, text, expected) => {
    expect(left(text)).toBe(expected);
  });

  it("opens it on somebody's word, which stands in the report", () => {
    const filter = envoyFilter("istio-egress", "GATEWAY");
    for (const assumed of ["EnvoyFilter/one", "EnvoyFilter/istio-egress/one"]) {
      expect(left(filter, assumed)).toBe(ALL);
      const imported = importing(filter, assumed);
      const notes = imported.ok ? reportOf(imported) : [];
      expect(notes.find(({ code }) => code === "assumed-open")).toMatchObject({ at: { file: "mesh.yaml", line: 12 } });
    }
    expect(left(filter + envoyFilter("shop", "ANY"), "EnvoyFilter/istio-egress/one")).toBe("--- +++");
  });

  it("says what may be refused, where, and what to do", () => {
    const imported = importing(envoyFilter("shop", "ANY"));
    const note = imported.ok ? reportOf(imported).find(({ code }) => code === "may-refuse") : undefined;
    expect(note?.at).toMatchObject({ file: "mesh.yaml", line: 12 });
    expect(note?.message).toContain("all allows of shop");
    expect(note?.message).toContain("--assume-open EnvoyFilter/shop/one");
  });

  it.each(["EnvoyFilter/shop/one", "EnvoyFilter/two", "WasmPlugin/one"])(
    "refuses a word about what is not there: %s",
    (assumed) => {
      const imported = importing(envoyFilter("istio-egress", "GATEWAY"), assumed);
      expect(imported.ok ? "" : imported.problems.map(({ message }) => message).join()).toContain(
        `--assume-open ${assumed}`,
      );
    },
  );

  it.each(["EnvoyFilter", "EnvoyFilter/", "/a", "a/b/c/d", "Envoy Filter/a", ""])(
    "takes no other words: %j",
    (text) => {
      expect(parseAssumedOpen(text)).toBeNull();
    },
  );

  it.each([
    ["networking.istio.io", "Sidecar", false],
    ["networking.istio.io", "constructor", true],
    ["install.istio.io", "IstioOperator", true],
    ["constructor", "Sidecar", false],
    ["apps", "Deployment", false],
  ])("tells kinds of Istio that it does not know: %s %s", (group, kind, unknown) => {
    expect(isUnknownKind(group, kind)).toBe(unknown);
  });
});
