import { Gateway } from "@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1/Gateway";
import { HTTPRoute } from "@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1/HTTPRoute";
import { TCPRoute } from "@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1alpha2/TCPRoute";
import { TLSRoute } from "@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1alpha2/TLSRoute";
import { describe, expect, test } from "vitest";
import type { Generated, Target } from "../../../src/generate/draft.ts";
import { createGatewayApiTarget } from "../../../src/generate/gateway-api/target.ts";
import { loadPolicySet } from "../../../src/policy/load.ts";
import { canon } from "../../policy/policy-files.ts";

/** Stands for the Istio target: one file that names the services it was given. */
const istio: Target = {
  name: "istio",
  summary: "",
  generate: (set) => ({
    files: [
      {
        path: "all.yaml",
        purpose: "",
        sources: [],
        inputs: null,
        documents: set.services.map(({ name }) => ({ name })),
      },
    ],
    notes: [],
  }),
};

const HTTP =
  "{hosts: [a.example.com, b.example.com], ports: [{number: 80, protocol: HTTP}], tls: {originate: gateway, port: 443}}";
const TLS = "{hosts: [t.example.com], ports: [{number: 443, protocol: TLS}]}";

function generate(
  spec: string,
  gateway = "{selector: {istio: egressgateway}, authorizer: {service: sallyport.sallyport-system, port: 9191}}",
): Generated {
  const text = `
apiVersion: sallyport.dev/v1alpha1
kind: EgressGateway
metadata: {name: egress, namespace: istio-egress}
spec: ${gateway}
---
apiVersion: sallyport.dev/v1alpha1
kind: ExternalService
metadata: {name: x}
spec: ${spec}
---
apiVersion: sallyport.dev/v1alpha1
kind: EgressPolicy
metadata: {name: who, namespace: istio-egress}
spec: {owner: a@example.com, rules: [{name: call, from: [{namespace: shop}], to: [{service: x}]}]}
`;
  const { set, diagnostics } = loadPolicySet([{ path: "p.yaml", bytes: Buffer.from(text) }], canon);
  if (set === null) throw new Error(JSON.stringify(diagnostics));
  return createGatewayApiTarget(istio).generate(set, { native: false });
}

interface Json {
  readonly [key: string]: Json;
}

function documents({ files }: Generated, kind: string): readonly Json[] {
  return files.flatMap((file) => file.documents as readonly Json[]).filter((each) => (each.kind as unknown) === kind);
}

const listenersOf = (generated: Generated) =>
  documents(generated, "Gateway").flatMap(({ spec }) => spec?.listeners as unknown as readonly Json[]);

describe.each([
  ["HTTP, upgraded at the gateway", HTTP],
  ["TLS of the application's own", TLS],
])("%s", (_, spec) => {
  const generated = generate(spec);

  test("is valid by Gateway API's schemas", () => {
    const models = { Gateway, HTTPRoute, TCPRoute, TLSRoute };
    let count = 0;
    for (const [kind, model] of Object.entries(models)) {
      for (const document of documents(generated, kind)) {
        count++;
        // biome-ignore lint/suspicious/noExplicitAny: one constructor per kind, each of which takes only its own shape
        const instance: { validate(): void } = new model(document as any);
        expect(() => instance.validate()).not.toThrow();
      }
    }
    expect(count).toBeGreaterThan(3);
    expect(() => new HTTPRoute({ spec: { rules: 1 } } as never).validate()).toThrow();
  });

  test("every listener of the classic gateway asks for a mesh identity", () => {
    const listeners = listenersOf(generated).filter(({ name }) => (name as unknown) !== "mesh");
    expect(listeners.length).toBeGreaterThan(0);
    for (const { tls } of listeners) {
      expect(tls).toEqual({ mode: "Terminate", options: { "gateway.istio.io/tls-terminate-mode": "ISTIO_MUTUAL" } });
    }
  });

  test("the SNI that sidecars send is the one that each listener awaits", () => {
    const [rule] = documents(generated, "DestinationRule").filter((each) => `${each.spec?.host}`.startsWith("egress."));
    const settings = (rule?.spec?.trafficPolicy?.portLevelSettings ?? []) as unknown as readonly Json[];
    const sent = settings.map(({ port, tls }) => `${port?.number} ${tls?.sni} ${tls?.mode}`);
    const awaited = listenersOf(generated)
      .filter(({ name }) => (name as unknown) !== "mesh")
      .map(({ port, hostname }) => `${port} ${hostname} ISTIO_MUTUAL`);
    expect(sent).toEqual(awaited);
    expect(new Set(awaited).size).toBe(awaited.length);
  });

  test("every port of the gateway tells the authorizer what was dialled", () => {
    const patches = documents(generated, "EnvoyFilter").flatMap(
      ({ spec }) => spec?.configPatches as unknown as readonly Json[],
    );
    for (const { name, port } of listenersOf(generated).filter((each) => (each.name as unknown) !== "mesh")) {
      const text = JSON.stringify(
        patches.filter((patch) => JSON.stringify(patch.match).includes(`"portNumber":${port}`)),
      );
      expect(text).toMatch(/"sallyport\.port":"80"|"key":"sallyport-port","value":"443"/);
      expect(`${name}`.endsWith(spec === HTTP ? "-80" : "-443")).toBe(true);
    }
  });
});

describe("HTTP, upgraded at the gateway", () => {
  const generated = generate(HTTP);

  test("no sidecar learns the upstream port: it would be a way round the gateway", () => {
    const entries = documents(generated, "ServiceEntry").map(({ spec }) => spec as Json);
    for (const { ports, exportTo } of entries) {
      expect(ports).toEqual([{ number: 80, name: "http-80", protocol: "HTTP", targetPort: 443 }]);
      expect(exportTo).toEqual([".", "shop"]);
    }
    expect(entries).toHaveLength(2);
  });

  test("TLS is verified by name, and made once", () => {
    const rules = documents(generated, "DestinationRule").filter((each) => !`${each.spec?.host}`.startsWith("egress."));
    expect(rules.map(({ spec }) => spec)).toEqual(
      ["a.example.com", "b.example.com"].map((host) => ({
        host,
        exportTo: ["."],
        trafficPolicy: {
          portLevelSettings: [
            {
              port: { number: 80 },
              tls: { mode: "SIMPLE", sni: host, subjectAltNames: expect.arrayContaining([host]) },
            },
          ],
        },
      })),
    );
  });

  test("workloads share the gateway's connections, as the service asks", () => {
    const pooled = generate(HTTP.replace(/}$/, ", connections: {maxRequestsPerConnection: 7, idleTimeout: 300s}}"));
    const rule = documents(pooled, "DestinationRule").find((each) => `${each.spec?.host}` === "a.example.com");
    expect(rule?.spec?.trafficPolicy?.portLevelSettings).toEqual([
      expect.objectContaining({ connectionPool: { http: { maxRequestsPerConnection: 7, idleTimeout: "300s" } } }),
    ]);
  });

  test("the client's certificate stays inside", () => {
    const outer = documents(generated, "HTTPRoute").filter(({ spec }) => JSON.stringify(spec).includes("Hostname"));
    expect(outer).toHaveLength(2);
    for (const route of outer) expect(JSON.stringify(route)).toContain('"remove":["x-forwarded-client-cert"]');
  });
});

describe("what cannot be held is left out and said", () => {
  test.each([
    ["a wildcard", '{hosts: ["*.example.com"], ports: [{number: 443, protocol: TLS}]}'],
    ["TCP by address", "{hosts: [a.example.com], ports: [{number: 5432, protocol: TCP}], addresses: [203.0.113.8/32]}"],
    [
      "a sidecar's own TLS",
      "{hosts: [a.example.com], ports: [{number: 80, protocol: HTTP}], tls: {originate: sidecar, port: 443}}",
    ],
    [
      "a lowest TLS version",
      "{hosts: [a.example.com], ports: [{number: 80, protocol: HTTP}], tls: {originate: gateway, port: 443, minVersion: TLSV1_3}}",
    ],
  ])("%s", (_, spec) => {
    const { files, notes } = generate(spec);
    expect(files.map(({ path }) => path)).toEqual(["istio/all.yaml"]);
    expect(notes).toContainEqual(expect.objectContaining({ code: "not-expressible", severity: "warning" }));
  });

  test("a model without a gateway", () => {
    const { files, notes } = generate(TLS, "{securityModel: RegistryOnly, selector: {istio: egressgateway}}");
    expect(files.map(({ path }) => path)).toEqual(["istio/all.yaml"]);
    expect(notes.map(({ code }) => code)).toEqual(["not-expressible"]);
  });

  test("waypoints, which refuse everybody", () => {
    expect(generate(TLS).notes).toContainEqual(expect.objectContaining({ code: "waypoint-without-principal" }));
  });

  test("more hosts than a Gateway has listeners: no file", () => {
    const hosts = Array.from({ length: 65 }, (_, index) => `h${index}.example.com`).join(", ");
    const { files, notes } = generate(`{hosts: [${hosts}], ports: [{number: 443, protocol: TLS}]}`);
    expect(files).toEqual([]);
    expect(notes).toContainEqual(expect.objectContaining({ code: "not-expressible", severity: "error" }));
  });

  test("a gateway without labels: the port would be told by every proxy or none: no file", () => {
    const { files, notes } = generate(TLS, "{}");
    expect(files).toEqual([]);
    expect(notes).toContainEqual(expect.objectContaining({ code: "no-gateway-selector", severity: "error" }));
  });
});
