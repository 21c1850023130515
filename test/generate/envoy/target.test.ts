import { describe, expect, it } from "vitest";
import { envoyTarget } from "../../../src/generate/envoy/target.ts";
import { type Loose, meshSet, smallSet } from "../istio/istio-objects.ts";

const RULES = "[{name: use, from: [{namespace: shop}], to: [{service: x}]}]";

function generate(service: string, gateway?: string) {
  return envoyTarget.generate(smallSet({ x: service }, RULES, gateway), { native: false });
}

function bootstrapOf(name: string): Loose {
  return envoyTarget.generate(meshSet(name), { native: false }).files[0]?.documents[0];
}

/** Every object anywhere in plain data. */
function objectsIn(value: Loose): Loose[] {
  if (typeof value !== "object" || value === null) return [];
  return [...(Array.isArray(value) ? [] : [value]), ...Object.values(value).flatMap(objectsIn)];
}

function typedIn(value: Loose, type: string): Loose[] {
  return objectsIn(value).filter((each) => `${each["@type"] ?? ""}`.endsWith(`.${type}`));
}

const ALL = [
  "http-upgrade",
  "ports-80-and-443",
  "application-tls",
  "grpc",
  "tcp-addresses",
  "mirror",
  "split",
  "websocket",
  "wildcard",
];

describe("every bootstrap", () => {
  it.each(ALL)("%s: administration is a Unix socket, and nothing else listens without mTLS", (name) => {
    const { admin, static_resources } = bootstrapOf(name);
    expect(admin).toEqual({ address: { pipe: { path: "/run/sallyport/envoy-admin.sock", mode: 0o600 } } });
    const open = static_resources.listeners.filter((listener: Loose) => listener.address !== undefined);
    for (const chain of open.flatMap(({ filter_chains }: Loose) => filter_chains)) {
      expect(chain.transport_socket.typed_config.require_client_certificate).toBe(true);
      expect(JSON.stringify(chain.transport_socket)).toContain("SPIFFECertValidatorConfig");
    }
  });

  it.each(ALL)(
    "%s: the authorizer is asked for each route with its port, within its timeout, and never failed open",
    (name) => {
      const bootstrap = bootstrapOf(name);
      const filters = typedIn(bootstrap, "ExtAuthz");
      expect(filters.length).toBeGreaterThan(0);
      for (const { failure_mode_allow, grpc_service } of filters)
        expect([failure_mode_allow, grpc_service.timeout]).toEqual([false, "3s"]);
      const routes = objectsIn(bootstrap).flatMap(({ routes = [] }) => routes);
      for (const { typed_per_filter_config } of routes) {
        const { check_settings } = typed_per_filter_config["envoy.filters.http.ext_authz"];
        expect(check_settings.context_extensions["sallyport.port"]).toMatch(/^\d+$/);
      }
      for (const { virtual_hosts } of objectsIn(bootstrap).filter((each) => Array.isArray(each.virtual_hosts))) {
        expect(virtual_hosts.at(-1)).toMatchObject({
          domains: ["*"],
          routes: [{ direct_response: { status: 403 } }, { direct_response: { status: 403 } }],
        });
      }
    },
  );

  it.each(ALL)("%s: requests, streams and connections end by themselves, and no certificate goes on", (name) => {
    for (const manager of typedIn(bootstrapOf(name), "HttpConnectionManager")) {
      expect(manager).toMatchObject({
        forward_client_cert_details: "SANITIZE",
        common_http_protocol_options: { max_connection_duration: "3600s", max_stream_duration: "3600s" },
      });
    }
    for (const proxy of typedIn(bootstrapOf(name), "TcpProxy"))
      expect(proxy.max_downstream_connection_duration).toBe("3600s");
  });

  it.each(ALL)("%s: TLS outside always verifies a name", (name) => {
    const { clusters } = bootstrapOf(name).static_resources;
    for (const cluster of clusters.filter(({ transport_socket }: Loose) =>
      JSON.stringify(transport_socket ?? {}).includes("UpstreamTlsContext"),
    )) {
      const { common_tls_context } = cluster.transport_socket.typed_config;
      const byRequest = JSON.stringify(cluster.typed_extension_protocol_options ?? {}).includes(
        '"auto_san_validation":true',
      );
      expect(byRequest || common_tls_context.validation_context.match_typed_subject_alt_names.length > 0).toBe(true);
      expect(common_tls_context.validation_context.trusted_ca.filename).toMatch(/^\//);
    }
  });
});

describe("notes", () => {
  const codes = (service: string, gateway?: string) =>
    generate(service, gateway).notes.map(({ code, severity }) => `${severity} ${code}`);
  const TLS = "tls: {originate: gateway, port: 443}";

  it.each([
    [
      "a server that greets first",
      "{hosts: [mail.example.com], ports: [{number: 25, protocol: TCP}]}",
      ["warning server-speaks-first"],
    ],
    [
      "TLS to an address",
      '{hosts: ["10.1.2.3"], internal: true, ports: [{number: 443, protocol: TLS}]}',
      ["warning tls-by-address"],
    ],
    [
      "a wildcard in clear",
      '{hosts: ["*.wild.example.com"], ports: [{number: 80, protocol: HTTP}], tls: {originate: none}}',
      ["warning wildcard-not-expressible"],
    ],
    [
      "TLS made by the sidecar",
      "{hosts: [a.example.com], ports: [{number: 80, protocol: HTTP}], tls: {originate: sidecar}}",
      ["warning originates-at-sidecar"],
    ],
    ["nothing of these", `{hosts: [a.example.com], ports: [{number: 80, protocol: HTTP}], ${TLS}}`, []],
  ])("%s", (_, service, expected) => {
    expect(codes(service)).toEqual(expected);
  });

  it("without an authorizer nothing is written; with failOpen it is said; under another model there is no gateway", () => {
    const service = `{hosts: [a.example.com], ports: [{number: 80, protocol: HTTP}], ${TLS}}`;
    expect([codes(service, "{}"), generate(service, "{}").files]).toEqual([["error no-authorizer"], []]);
    expect(codes(service, "{authorizer: {service: sallyport.sallyport-system, failOpen: true}}")).toEqual([
      "warning fails-open",
    ]);
    expect(codes(service, "{securityModel: RegistryOnly}")).toEqual(["warning not-expressible"]);
  });

  it("seat: gateway puts the filter where ext_authz was for requests, with policies over mTLS, and leaves it for connections", () => {
    const gateway = (filter: string) =>
      `{authorizer: {service: sallyport.sallyport-system}, seat: gateway, filter: ${filter}}`;
    const service = `{hosts: [a.example.com], ports: [{number: 80, protocol: HTTP}, {number: 443, protocol: TLS}], ${TLS}}`;
    const set = (filter: string) => smallSet({ x: service }, RULES, gateway(filter));
    const made = (filter: string): Loose =>
      envoyTarget.generate(set(filter), { native: false, filterCode: () => Buffer.from("code") }).files[0]
        ?.documents[0];
    const code = (bootstrap: Loose) => typedIn(bootstrap, "Wasm").map(({ config }) => config.vm_config.code);
    const plain = made("{}");
    expect(code(plain)).toEqual([{ local: { filename: "/etc/sallyport/filter/sallyport-filter.wasm" } }]);
    const [{ config }] = typedIn(plain, "Wasm");
    expect(config).toMatchObject({ root_id: "80", failure_policy: "FAIL_RELOAD" });
    expect(typedIn(plain, "http.ext_authz.v3.ExtAuthz")).toEqual([]);
    expect(typedIn(plain, "network.ext_authz.v3.ExtAuthz").length).toBeGreaterThan(0);
    const bundles = plain.static_resources.clusters.find(({ name }: Loose) => name === "sallyport-bundles");
    expect(JSON.stringify(bundles)).toContain("spiffe://cluster.local/ns/sallyport-system/sa/sallyport");
    expect(code(made("{inline: true}"))).toEqual([{ local: { inline_bytes: Buffer.from("code").toString("base64") } }]);
    const digest = "a".repeat(64);
    const remote = made(`{url: "https://files.example.com/f.wasm", sha256: ${digest}}`);
    expect(code(remote)).toMatchObject([{ remote: { sha256: digest, http_uri: { cluster: "sallyport-filter" } } }]);
    const fetched = remote.static_resources.clusters.find(({ name }: Loose) => name === "sallyport-filter");
    expect(fetched.transport_socket.typed_config.sni).toBe("files.example.com");
    expect(() => envoyTarget.generate(set("{inline: true}"), { native: false })).toThrow("needs the filter's code");
  });

  it("a split to a service of several hosts is an error: it would not be said to which", () => {
    const set = smallSet(
      {
        x: `{hosts: [a.example.com], ports: [{number: 80, protocol: HTTP}], ${TLS}, split: [{service: y, weight: 100}]}`,
        y: `{hosts: [b.example.com, c.example.com], ports: [{number: 80, protocol: HTTP}], ${TLS}}`,
      },
      "[{name: use, from: [{namespace: shop}], to: [{service: x}, {service: y}]}]",
    );
    const { files, notes } = envoyTarget.generate(set, { native: false });
    expect([files, notes.map(({ code }) => code)]).toEqual([[], ["ambiguous-route"]]);
  });
});
