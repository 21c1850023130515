import { describe, expect, test } from "vitest";
import { type AdmissionRequest, review } from "./admission-review.ts";
import { documentsOf, loadModel, loadText } from "./policy-sets.ts";

const objects = documentsOf(loadModel("Gateway"));
const MANAGED = { "app.kubernetes.io/managed-by": "sallyport" };

function write(kind: string, spec: object, more: Partial<AdmissionRequest> = {}): AdmissionRequest {
  const [resource = "", group = ""] = kind.split(/\.(.*)/s);
  const namespace = more.namespace ?? "payments";
  return {
    operation: "CREATE",
    group,
    resource,
    namespace,
    username: "tenant",
    administrator: false,
    object: { metadata: { name: "mine", namespace }, spec },
    oldObject: null,
    ...more,
  };
}

const NETWORK = "networkpolicies.networking.k8s.io";
const SERVICE_ENTRY = "serviceentries.networking.istio.io";
const VIRTUAL_SERVICE = "virtualservices.networking.istio.io";
const DESTINATION_RULE = "destinationrules.networking.istio.io";
const GATEWAY = "gateways.networking.istio.io";
const SIDECAR = "sidecars.networking.istio.io";
const HTTP_ROUTE = "httproutes.gateway.networking.k8s.io";
const to = (host: string) => [{ route: [{ destination: { host } }] }];
const internal = (host: string) => ({ hosts: [host], location: "MESH_INTERNAL" });

describe("tenants' tricks are refused", () => {
  test.each<[string, string, object, Partial<AdmissionRequest>?]>([
    ["egress to everywhere, by a rule without peers", NETWORK, { egress: [{}] }],
    ["egress to everywhere on a port", NETWORK, { egress: [{ ports: [{ port: 443 }] }] }],
    ["egress by an empty list of peers", NETWORK, { egress: [{ to: [] }] }],
    ["egress to the Internet", NETWORK, { egress: [{ to: [{ ipBlock: { cidr: "0.0.0.0/0" } }] }] }],
    ["egress to one address", NETWORK, { egress: [{ to: [{ ipBlock: { cidr: "203.0.113.9/32" } }] }] }],
    [
      "a block behind an honest peer",
      NETWORK,
      { egress: [{ to: [{ podSelector: {} }, { ipBlock: { cidr: "::/0" } }] }] },
    ],
    [
      "a block behind an honest rule",
      NETWORK,
      { egress: [{ to: [{ podSelector: {} }] }, { to: [{ ipBlock: { cidr: "::/0" } }] }] },
    ],
    [
      "a block in the coat of a peer",
      NETWORK,
      { egress: [{ to: [{ podSelector: {}, ipBlock: { cidr: "0.0.0.0/0" } }] }] },
    ],
    ["a peer that says nothing", NETWORK, { egress: [{ to: [{}] }] }],
    ["a policy beside the gateway", NETWORK, { ingress: [{}] }, { namespace: "istio-egress" }],
    ["ingress to the authorizer", NETWORK, { ingress: [{}] }, { namespace: "sallyport-system" }],
    ["a service entry for a registered host", SERVICE_ENTRY, internal("api.stripe.com")],
    ["in capitals", SERVICE_ENTRY, internal("API.stripe.com")],
    ["with a dot at the end", SERVICE_ENTRY, internal("api.stripe.com.")],
    ["under a registered wildcard", SERVICE_ENTRY, internal("a.wild.example.com")],
    ["a narrower wildcard", SERVICE_ENTRY, internal("*.a.wild.example.com")],
    ["a wildcard over a registered host", SERVICE_ENTRY, internal("*.stripe.com")],
    ["a wildcard over a registered wildcard", SERVICE_ENTRY, internal("*.example.com")],
    ["everything", SERVICE_ENTRY, internal("*")],
    [
      "a registered host behind one's own",
      SERVICE_ENTRY,
      { hosts: ["mine.internal", "api.stripe.com"], location: "MESH_INTERNAL" },
    ],
    ["the authorizer's name", SERVICE_ENTRY, internal("sallyport.sallyport-system.svc.cluster.local")],
    ["a host of one's own outside", SERVICE_ENTRY, { hosts: ["evil.example"], location: "MESH_EXTERNAL" }],
    ["outside, by the default location", SERVICE_ENTRY, { hosts: ["evil.example"] }],
    ["an address for one's own", SERVICE_ENTRY, { ...internal("mine.internal"), addresses: ["203.0.113.8/32"] }],
    ["a virtual service for a registered host", VIRTUAL_SERVICE, { hosts: ["api.stripe.com"], http: to("mine") }],
    ["a virtual service for everything", VIRTUAL_SERVICE, { hosts: ["*"], http: to("mine") }],
    [
      "a virtual service for the gateway",
      VIRTUAL_SERVICE,
      { hosts: ["egress.istio-egress.svc.cluster.local"], http: to("mine") },
    ],
    [
      "a route of one's own name to a registered host",
      VIRTUAL_SERVICE,
      { hosts: ["mine"], http: to("api.stripe.com") },
    ],
    ["by TLS", VIRTUAL_SERVICE, { hosts: ["mine"], tls: to("api.stripe.com") }],
    ["by TCP", VIRTUAL_SERVICE, { hosts: ["mine"], tcp: to("db.example.com") }],
    [
      "as a mirror",
      VIRTUAL_SERVICE,
      { hosts: ["mine"], http: [{ route: [{ destination: { host: "mine" } }], mirror: { host: "api.stripe.com" } }] },
    ],
    [
      "as one of several mirrors",
      VIRTUAL_SERVICE,
      { hosts: ["mine"], http: [{ mirrors: [{ destination: { host: "api.stripe.com" } }] }] },
    ],
    [
      "a route on the egress gateway",
      VIRTUAL_SERVICE,
      { hosts: ["mine"], gateways: ["istio-egress/egress"], http: to("mine") },
    ],
    ["TLS settings of a registered host", DESTINATION_RULE, { host: "api.stripe.com" }],
    ["of the authorizer", DESTINATION_RULE, { host: "sallyport.sallyport-system.svc.cluster.local" }],
    ["of the authorizer, in short", DESTINATION_RULE, { host: "sallyport.sallyport-system" }],
    ["of the whole cluster", DESTINATION_RULE, { host: "*.local" }],
    ["of the gateway", DESTINATION_RULE, { host: "egress.istio-egress.svc.cluster.local" }],
    ["a clear port on the egress gateway", GATEWAY, { selector: { istio: "egressgateway" }, servers: [] }],
    ["by a label it may carry", GATEWAY, { selector: { app: "egress" }, servers: [] }],
    ["by no label at all", GATEWAY, { selector: {}, servers: [] }],
    ["by no selector at all", GATEWAY, { servers: [] }],
    ["an Envoy filter", "envoyfilters.networking.istio.io", { configPatches: [] }],
    ["Wasm", "wasmplugins.extensions.istio.io", { url: "file:///x" }],
    ["a traffic extension", "trafficextensions.extensions.istio.io", {}],
    ["a sidecar that dials anything", SIDECAR, { outboundTrafficPolicy: { mode: "ALLOW_ANY" } }],
    [
      "a sidecar with a way out of its own",
      SIDECAR,
      { outboundTrafficPolicy: { egressProxy: {} }, egressProxy: { host: "mine" } },
    ],
    [
      "an HTTP route of a registered host",
      HTTP_ROUTE,
      { parentRefs: [{ group: "networking.istio.io", kind: "ServiceEntry", name: "stripe" }] },
    ],
    [
      "an HTTP route on the egress gateway",
      HTTP_ROUTE,
      { parentRefs: [{ name: "egress", namespace: "istio-egress" }] },
    ],
    [
      "a Gateway on the egress gateway's Service",
      "gateways.gateway.networking.k8s.io",
      { addresses: [{ type: "Hostname", value: "egress.istio-egress.svc.cluster.local" }] },
    ],
    [
      "mesh objects beside the gateway",
      VIRTUAL_SERVICE,
      { hosts: ["mine"], http: to("mine") },
      { namespace: "istio-egress" },
    ],
    ["for the whole mesh", SIDECAR, {}, { namespace: "istio-system" }],
    ["in a namespace that no policy names", SERVICE_ENTRY, internal("api.stripe.com"), { namespace: "elsewhere" }],
  ])("%s: %s", (_, kind, spec, more) => {
    const refusals = review(objects, write(kind, spec, more));
    expect(refusals).not.toEqual([]);
    expect(refusals.filter((message) => message.startsWith("error: "))).toEqual([]);
  });

  test("a route without a destination, which cannot be judged", () => {
    const request = write(VIRTUAL_SERVICE, { hosts: ["mine"], http: [{ route: [{}] }] });
    expect(review(objects, request)).toEqual([expect.stringMatching(/^error: routes to a host/)]);
  });

  const ours = {
    metadata: { name: "sallyport-egress", namespace: "payments", labels: MANAGED },
    spec: { podSelector: {} },
  };

  test("deleting ours", () => {
    const request = write(NETWORK, {}, { operation: "DELETE", object: null, oldObject: ours });
    expect(review(objects, request)).toEqual([
      "generated by Sallyport: only egress administrators change or delete it",
    ]);
  });

  test("taking our label off ours, its spec unchanged", () => {
    const object = { ...ours, metadata: { ...ours.metadata, labels: {} } };
    expect(review(objects, write(NETWORK, {}, { operation: "UPDATE", object, oldObject: ours }))).not.toEqual([]);
  });

  test("deleting a generated mesh object in one's own namespace", () => {
    const request = write(SIDECAR, {}, { operation: "DELETE", object: null, oldObject: ours });
    expect(review(objects, request)).not.toEqual([]);
  });

  test("opening what was shut, by an update", () => {
    const before = { metadata: { name: "mine" }, spec: { egress: [{ to: [{ podSelector: {} }] }] } };
    const request = write(NETWORK, { egress: [{}] }, { operation: "UPDATE", oldObject: before });
    expect(review(objects, request)).not.toEqual([]);
  });

  test("wearing our label does not help", () => {
    const object = { metadata: { name: "mine", labels: MANAGED }, spec: { egress: [{}] } };
    expect(review(objects, write(NETWORK, {}, { object }))).not.toEqual([]);
  });

  test("a stranger who deletes ours in the name of the end of a namespace", () => {
    const request = write(
      NETWORK,
      {},
      {
        operation: "DELETE",
        object: null,
        oldObject: ours,
        username: "system:serviceaccount:payments:namespace-controller",
      },
    );
    expect(review(objects, request)).not.toEqual([]);
  });
});

describe("honest work is admitted", () => {
  test.each<[string, string, object, Partial<AdmissionRequest>?]>([
    ["ingress rules", NETWORK, { podSelector: {}, ingress: [{ from: [{ podSelector: {} }] }] }],
    ["a default deny", NETWORK, { podSelector: {}, policyTypes: ["Egress"] }],
    [
      "egress between pods",
      NETWORK,
      { egress: [{ to: [{ namespaceSelector: { matchLabels: { a: "b" } } }], ports: [{ port: 80 }] }] },
    ],
    [
      "addresses where the policies name nobody",
      NETWORK,
      { egress: [{ to: [{ ipBlock: { cidr: "10.0.0.0/8" } }] }] },
      { namespace: "elsewhere" },
    ],
    ["a host inside the mesh", SERVICE_ENTRY, internal("legacy.payments.internal")],
    ["a host that only ends alike", SERVICE_ENTRY, internal("notapi.stripe.com.internal")],
    ["the apex of a registered wildcard", SERVICE_ENTRY, internal("wild.example.com")],
    ["a wildcard beside registered hosts", SERVICE_ENTRY, internal("*.payments.internal")],
    ["a virtual service of one's own", VIRTUAL_SERVICE, { hosts: ["checkout"], http: to("checkout") }],
    [
      "with mirrors, TLS and TCP",
      VIRTUAL_SERVICE,
      {
        hosts: ["checkout"],
        http: [{ route: [{ destination: { host: "checkout" } }], mirror: { host: "shadow" } }],
        tls: to("checkout"),
        tcp: to("checkout"),
        gateways: ["mesh", "payments/web"],
      },
    ],
    ["a redirect, which has no route", VIRTUAL_SERVICE, { hosts: ["checkout"], http: [{ redirect: { uri: "/new" } }] }],
    ["a destination rule of one's own", DESTINATION_RULE, { host: "checkout.payments.svc.cluster.local" }],
    ["an ingress gateway", GATEWAY, { selector: { istio: "ingressgateway" }, servers: [{ hosts: ["*"] }] }],
    [
      "a sidecar that narrows",
      SIDECAR,
      { egress: [{ hosts: ["./*", "istio-egress/*"] }], outboundTrafficPolicy: { mode: "REGISTRY_ONLY" } },
    ],
    ["a sidecar without a policy", SIDECAR, { egress: [{ hosts: ["./*"] }] }],
    [
      "an HTTP route on one's own Gateway",
      HTTP_ROUTE,
      { parentRefs: [{ name: "web" }], hostnames: ["shop.example.com"] },
    ],
    ["a Gateway of one's own", "gateways.gateway.networking.k8s.io", { gatewayClassName: "istio", listeners: [] }],
  ])("%s: %s", (_, kind, spec, more) => {
    expect(review(objects, write(kind, spec, more))).toEqual([]);
  });

  test("an object without a spec", () => {
    const object = { metadata: { name: "mine", namespace: "payments" } };
    expect(review(objects, write(SIDECAR, {}, { object }))).toEqual([]);
  });

  test("metadata of what was there before", () => {
    const spec = { egress: [{}] };
    const request = write(NETWORK, spec, { operation: "UPDATE", oldObject: { metadata: { name: "mine" }, spec } });
    expect(review(objects, request)).toEqual([]);
  });

  test("deleting one's own", () => {
    const oldObject = { metadata: { name: "mine" }, spec: { egress: [{}] } };
    expect(review(objects, write(NETWORK, {}, { operation: "DELETE", object: null, oldObject }))).toEqual([]);
  });

  test("the end of a namespace", () => {
    const oldObject = { metadata: { name: "sallyport-egress", labels: MANAGED }, spec: {} };
    const username = "system:serviceaccount:kube-system:namespace-controller";
    const request = write(NETWORK, {}, { operation: "DELETE", object: null, oldObject, username });
    expect(review(objects, request)).toEqual([]);
  });

  test("whatever administrators write", () => {
    const request = write(NETWORK, { egress: [{}] }, { namespace: "istio-egress", administrator: true });
    expect(review(objects, request)).toEqual([]);
  });
});

describe("what runs beside the gateway and its authorizer", () => {
  const BESIDE = { namespace: "istio-egress" };
  const POD = "pods.";

  test.each<[string, string, Partial<AdmissionRequest>]>([
    ["a pod with the gateway's identity", POD, BESIDE],
    ["a pod beside the authorizer", POD, { namespace: "sallyport-system" }],
    ["a Deployment", "deployments.apps", BESIDE],
    ["scaling the gateway to nothing", "deployments/scale.apps", { ...BESIDE, operation: "UPDATE" }],
    ["a job that a controller would start", "cronjobs.batch", BESIDE],
    ["a token of the gateway's account", "serviceaccounts/token.", BESIDE],
    ["a debug container", "pods/ephemeralcontainers.", { ...BESIDE, operation: "UPDATE" }],
    ["a shell", "pods/exec.", { ...BESIDE, operation: "CONNECT" }],
    ["others' endpoints", "endpointslices.discovery.k8s.io", BESIDE],
    ["a role of one's own there", "rolebindings.rbac.authorization.k8s.io", BESIDE],
    [
      "an account that only has a controller's name",
      POD,
      { ...BESIDE, username: "system:serviceaccount:payments:replicaset-controller" },
    ],
  ])("is not for tenants to say: %s", (_, kind, more) => {
    const refusals = review(objects, write(kind, {}, more));
    expect(refusals).toEqual([expect.stringMatching(/^what runs beside/)]);
  });

  test.each<[string, string, Partial<AdmissionRequest>]>([
    ["an administrator", "deployments.apps", { administrator: true }],
    [
      "a controller",
      POD,
      {
        username: "system:serviceaccount:kube-system:replicaset-controller",
        groups: ["system:serviceaccounts:kube-system"],
      },
    ],
    ["a kubelet", "serviceaccounts/token.", { username: "system:node:a", groups: ["system:nodes"] }],
    ["the scheduler", POD, { username: "system:kube-scheduler", operation: "DELETE", object: null }],
    ["an eviction, which a drain asks for", "pods/eviction.", {}],
  ])("is said by whom it should be: %s", (_, kind, more) => {
    expect(review(objects, write(kind, {}, { ...BESIDE, ...more }))).toEqual([]);
  });

  test("tenants' own pods are theirs", () => {
    expect(review(objects, write(POD, {}))).toEqual([]);
  });
});

test("without a gateway and without wildcards the expressions still hold", () => {
  const text = `
apiVersion: sallyport.dev/v1alpha1
kind: EgressGateway
metadata: {name: egress, namespace: istio-egress}
spec: {securityModel: RegistryOnly}
---
apiVersion: sallyport.dev/v1alpha1
kind: ExternalService
metadata: {name: stripe}
spec: {hosts: [api.stripe.com], ports: [{number: 443, protocol: TLS}]}
`;
  const plain = documentsOf(loadText(text));
  expect(review(plain, write(SERVICE_ENTRY, internal("*.stripe.com")))).toHaveLength(1);
  expect(review(plain, write(SERVICE_ENTRY, internal("mine.internal")))).toEqual([]);
  expect(review(plain, write(GATEWAY, { selector: { app: "mine" }, servers: [] }))).toEqual([]);
});
