import { describe, expect, it } from "vitest";
import { documentsOf, generate, type Loose, meshConfigOf, meshSet, patchesOf, smallSet } from "./istio-objects.ts";

const SHOP = "[{name: use, from: [{serviceAccount: shop/reader}], to: [{service: x}]}]";
const UPGRADED =
  "{hosts: [a.example.com, b.example.com], ports: [{number: 80, protocol: HTTP}], tls: {originate: gateway, port: 443}}";
const BOTH =
  "{hosts: [a.example.com], ports: [{number: 80, protocol: HTTP}, {number: 443, protocol: TLS}], tls: {originate: gateway, port: 443}}";
const upgraded = () => generate(smallSet({ x: UPGRADED }, SHOP));
const both = () => generate(smallSet({ x: BOTH }, SHOP));

describe("what hand-written configuration gets wrong", () => {
  it("a sidecar's direct way to 443, round the gateway: entries have the dialled ports only", () => {
    const entries = documentsOf(upgraded(), "ServiceEntry");
    expect(entries.map(({ spec }) => spec.ports)).toEqual(
      [0, 1].map(() => [{ number: 80, name: "http-80", protocol: "HTTP", targetPort: 443 }]),
    );
  });

  it("an entry that everybody sees: only namespaces of some rule do, and the gateway's", () => {
    for (const { spec } of documentsOf(upgraded(), "ServiceEntry", "VirtualService"))
      expect(spec.exportTo).toEqual([".", "shop"]);
  });

  it("two entries for one host, of which Istio shows a gateway one: there is one", () => {
    for (const name of ["several-ports", "ports-80-and-443", "tcp-addresses", "wildcard"]) {
      const hosts = documentsOf(generate(meshSet(name)), "ServiceEntry").flatMap(({ spec }) => spec.hosts);
      expect(new Set(hosts).size).toBe(hosts.length);
    }
  });

  it("sidecars that make TLS a second time: rules for hosts outside are the gateway's alone", () => {
    const rules = documentsOf(both(), "DestinationRule").filter(({ spec }) => spec.host === "a.example.com");
    expect(rules.map(({ spec }) => spec.exportTo)).toEqual([["."]]);
  });

  it("application TLS encrypted a second time: its way out names no subset, and TLS is in subsets alone", () => {
    const generated = both();
    const [rule] = documentsOf(generated, "DestinationRule").filter(({ spec }) => spec.host === "a.example.com");
    expect(Object.keys(rule.spec).sort()).toEqual(["exportTo", "host", "subsets"]);
    const [service] = documentsOf(generated, "VirtualService");
    const [out] = service.spec.tcp;
    expect(out.route).toEqual([{ destination: { host: "a.example.com", port: { number: 443 } } }]);
  });

  it("ports 80 and 443 of one host: each has its own way to the gateway and out", () => {
    const [service] = documentsOf(both(), "VirtualService");
    const ports = (routes: readonly Loose[]) =>
      routes.map(({ match, route }) => [match[0].gateways[0], match[0].port, route?.[0].destination.port.number]);
    expect(ports(service.spec.http)).toEqual([
      ["mesh", 80, 16129],
      ["istio-egress/x", 16129, undefined],
      ["istio-egress/x", 16129, 80],
    ]);
    expect(ports(service.spec.tls)).toEqual([["mesh", 443, 11395]]);
    expect(ports(service.spec.tcp)).toEqual([["istio-egress/x", 11395, 443]]);
  });

  it("SNI without SAN, which turns verification off: every rule that makes TLS outside has both", () => {
    for (const name of ["http-upgrade", "grpc", "mutual-tls", "own-authority", "mirror", "split", "websocket"]) {
      const made = documentsOf(generate(meshSet(name)), "DestinationRule")
        .flatMap(({ spec }) => spec.subsets ?? [])
        .map(({ trafficPolicy }: Loose) => trafficPolicy.tls)
        .filter((tls: Loose) => tls !== undefined && tls.mode !== "ISTIO_MUTUAL");
      expect(made.length).toBeGreaterThan(0);
      for (const tls of made) {
        expect(tls).toMatchObject({ sni: expect.any(String), subjectAltNames: [expect.any(String)] });
        expect(tls).not.toHaveProperty("insecureSkipVerify");
      }
    }
  });

  it("one tcp route that takes every SNI: one server and one route per host", () => {
    const generated = generate(meshSet("application-tls"));
    const servers = documentsOf(generated, "Gateway").flatMap(({ spec }) => spec.servers);
    expect(servers.map(({ hosts }: Loose) => hosts)).toEqual([
      ["istio-egress/other.example.com"],
      ["istio-egress/tls.example.com"],
    ]);
    for (const { spec } of documentsOf(generated, "VirtualService")) {
      expect(spec.hosts).toHaveLength(1);
      expect(spec.tcp).toHaveLength(1);
      expect(spec.tcp[0].route[0].destination.host).toBe(spec.hosts[0]);
    }
  });

  it("a passthrough without identity: every server of the gateway demands the mesh's", () => {
    for (const name of ["http-upgrade", "application-tls", "tcp-addresses", "grpc"]) {
      const servers = documentsOf(generate(meshSet(name)), "Gateway").flatMap(({ spec }) => spec.servers);
      expect(servers.map(({ tls }: Loose) => tls)).toEqual(servers.map(() => ({ mode: "ISTIO_MUTUAL" })));
    }
  });

  it("the name that the sidecar says is the one that the gateway's chain is for", () => {
    for (const name of ["several-hosts", "application-tls", "tcp-addresses"]) {
      const generated = generate(meshSet(name));
      const said = documentsOf(generated, "DestinationRule")
        .flatMap(({ spec }) => spec.subsets ?? [])
        .map(({ trafficPolicy }: Loose) => trafficPolicy.tls?.sni)
        .filter(Boolean);
      const served = documentsOf(generated, "Gateway")
        .flatMap(({ spec }) => spec.servers)
        .flatMap(({ hosts }: Loose) => hosts);
      for (const host of served) expect(said).toContain(host.replace("istio-egress/", ""));
    }
  });

  it("duplicate port names: names of a gateway's ports are unique", () => {
    const names = documentsOf(generate(meshSet("several-ports")), "Gateway")
      .flatMap(({ spec }) => spec.servers)
      .map(({ port }: Loose) => port.name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
  });

  it("XFCC or peer metadata reaching the outside: removed on every way out, and not added in the first place", () => {
    const generated = generate(meshSet("websocket"));
    const out = documentsOf(generated, "VirtualService")
      .flatMap(({ spec }) => spec.http)
      .filter(({ match, route }: Loose) => match[0].gateways[0] !== "mesh" && route !== undefined);
    expect(out).toHaveLength(2);
    for (const { headers } of out)
      expect(headers.request.remove).toEqual([
        "x-forwarded-client-cert",
        "x-envoy-peer-metadata",
        "x-envoy-peer-metadata-id",
      ]);
    expect(meshConfigOf(generated).defaultConfig).toEqual({
      gatewayTopology: { forwardClientCertDetails: "SANITIZE" },
      proxyHeaders: { metadataExchangeHeaders: { mode: "IN_MESH" } },
    });
  });
});

describe("who is asked", () => {
  const provider = (gateway?: string) =>
    meshConfigOf(generate(smallSet({ x: UPGRADED }, SHOP, gateway))).extensionProviders.find(
      ({ envoyExtAuthzGrpc }: Loose) => envoyExtAuthzGrpc !== undefined,
    );

  it("the 600 s that Istio waits for an authorizer unless told: the policy's timeout is always there", () => {
    expect(provider().envoyExtAuthzGrpc.timeout).toBe("0.25s");
  });

  it("fail-open: only if it is written, and then said", () => {
    expect(provider().envoyExtAuthzGrpc.failOpen).toBe(false);
    const open =
      "{selector: {istio: egressgateway}, authorizer: {service: sallyport.sallyport-system, failOpen: true}}";
    expect(provider(open).envoyExtAuthzGrpc.failOpen).toBe(true);
    expect(generate(smallSet({ x: UPGRADED }, SHOP, open)).notes.map(({ code }) => code)).toEqual(["fails-open"]);
  });

  it("a provider's name that is the beginning of another's: no name of ours is the beginning of one of ours", () => {
    const names = meshConfigOf(upgraded())
      .extensionProviders.map(({ name }: Loose) => name)
      .filter((name: string) => name !== "sallyport-egress-log");
    for (const name of names) expect(names.filter((other: string) => other.startsWith(name))).toEqual([name]);
    const [ask] = documentsOf(upgraded(), "AuthorizationPolicy").filter(({ spec }) => spec.action === "CUSTOM");
    expect(ask.spec.provider).toEqual({ name: "sallyport-egress" });
  });

  it("a tenant's service of the authorizer's name: the provider's service has its namespace", () => {
    expect(provider().envoyExtAuthzGrpc.service).toBe("sallyport-system/sallyport.sallyport-system.svc.cluster.local");
  });

  it("fields of HTTP on TCP chains, where Istio drops them: CUSTOM matches everything, and an ALLOW stands behind it", () => {
    const policies = documentsOf(upgraded(), "AuthorizationPolicy").filter(
      ({ metadata }) => metadata.namespace === "istio-egress",
    );
    expect(policies.map(({ spec }) => [spec.action, spec.rules, spec.selector])).toEqual([
      ["CUSTOM", [{}], { matchLabels: { istio: "egressgateway" } }],
      ["ALLOW", [{ from: [{ source: { principals: ["*"] } }] }], { matchLabels: { istio: "egressgateway" } }],
    ]);
  });

  it("every listener tells the dialled port, and answers hosts that nobody registered after asking", () => {
    const patches = patchesOf(both());
    const said = JSON.stringify(patches);
    expect(said).toContain('"sallyport.port":"80"');
    expect(said).toContain('"initial_metadata":[{"key":"sallyport-port","value":"443"}]');
    const [catchAll] = patches.filter(({ applyTo }) => applyTo === "VIRTUAL_HOST");
    expect(catchAll.patch.value).toMatchObject({
      domains: ["*"],
      routes: [{ direct_response: { status: 403 } }, { direct_response: { status: 403 } }],
    });
  });

  it("one filter for all chains, which would tell the ports of all: connections have a filter of their own, never a merged one", () => {
    const merged = patchesOf(generate(meshSet("tcp-addresses"))).filter(
      ({ match, patch }) =>
        match.listener?.filterChain?.filter?.name === "envoy.filters.network.ext_authz" &&
        patch.operation !== "REPLACE",
    );
    expect(merged).toEqual([]);
  });

  it("a server's greeting before the decision: nothing is dialled before the first bytes are allowed", () => {
    for (const name of ["tcp-addresses", "application-tls"]) {
      const proxies = patchesOf(generate(meshSet(name)))
        .map(({ patch }) => patch.value.typed_config ?? {})
        .filter(
          (each) =>
            `${each["@type"]}`.endsWith("TcpProxy") && each.stat_prefix === undefined && each.cluster === undefined,
        );
      expect(proxies.length).toBeGreaterThan(0);
      for (const proxy of proxies)
        expect(proxy).toMatchObject({
          upstream_connect_mode: "ON_DOWNSTREAM_DATA",
          max_early_data_bytes: 16_384,
          max_downstream_connection_duration: "3600s",
        });
    }
  });

  it("an inner SNI other than the outer: a listener inside takes the one name", () => {
    const listeners = patchesOf(generate(meshSet("application-tls")))
      .filter(({ applyTo }) => applyTo === "LISTENER")
      .map(({ patch }) => patch.value);
    expect(listeners.map(({ filter_chains }) => filter_chains.map((chain: Loose) => chain.filter_chain_match))).toEqual(
      [[{ server_names: ["other.example.com"] }], [{ server_names: ["tls.example.com"] }]],
    );
  });

  it("requests and connections end by themselves, and one workload cannot take the authorizer from others", () => {
    const said = JSON.stringify(patchesOf(upgraded()));
    expect(said).toContain('"max_connection_duration":"3600s","max_stream_duration":"3600s"');
    expect(said).toContain('"text":"connection.uri_san_peer_certificate"');
  });
});

describe("a name that leads to the gateway itself", () => {
  it.each([
    ["in clear", "{hosts: [a.example.com], ports: [{number: 15000, protocol: HTTP}], tls: {originate: none}}"],
    [
      "over TLS",
      "{hosts: [a.example.com], ports: [{number: 80, protocol: HTTP}], tls: {originate: gateway, port: 15090}}",
    ],
    ["as TCP", "{hosts: [a.example.com], ports: [{number: 15020, protocol: TCP}]}"],
  ])("never to a port that its own proxy serves (%s): nothing is written", (_, service) => {
    const { files, notes } = generate(smallSet({ x: service }, SHOP));
    expect(files).toEqual([]);
    expect(notes.filter(({ severity }) => severity === "error").map(({ code }) => code)).toEqual(["gateway-own-port"]);
  });
});

describe("connections outside", () => {
  it("an upgrade that poisons a shared pool (CVE-2026-73548): it has a subset of one request a connection", () => {
    const generated = generate(meshSet("websocket"));
    const [rule] = documentsOf(generated, "DestinationRule").filter(({ spec }) => spec.host === "chat.example.com");
    expect(
      rule.spec.subsets.map(({ trafficPolicy }: Loose) => trafficPolicy.connectionPool.http?.maxRequestsPerConnection),
    ).toEqual([undefined, 1]);
  });

  it("an upgrade where no rule names one goes nowhere", () => {
    const routes = documentsOf(upgraded(), "VirtualService").flatMap(({ spec }) => spec.http);
    const refused = routes.filter(({ directResponse }: Loose) => directResponse !== undefined);
    expect(refused).toHaveLength(2);
    for (const { match } of refused) expect(match[0].headers).toHaveProperty("upgrade");
  });

  it("share: workload keeps them apart by who asks", () => {
    const said = JSON.stringify(patchesOf(generate(meshSet("own-authority"))));
    expect(said).toContain('"factory_key":"envoy.hashable_string"');
    expect(JSON.stringify(patchesOf(upgraded()))).not.toContain("hashable_string");
  });

  it("a split's targets have their own names, and a mirror its own subset", () => {
    const [, main] = documentsOf(generate(meshSet("split")), "VirtualService");
    expect(
      main.spec.http
        .at(-1)
        .route.map(({ weight, destination, headers }: Loose) => [weight, destination.host, headers.request.set.Host]),
    ).toEqual([
      [50, "main.example.com", "main.example.com"],
      [50, "canary.example.com", "canary.example.com"],
    ]);
    const mirrored = documentsOf(generate(meshSet("mirror")), "VirtualService")
      .flatMap(({ spec }) => spec.http)
      .flatMap(({ mirrors = [] }: Loose) => mirrors);
    expect(mirrored).toMatchObject([
      { destination: { host: "shadow.example.com", subset: expect.any(String) }, percentage: { value: 100 } },
    ]);
  });

  it("our client certificate, the server's authority and HTTP/2 for gRPC are said where the requests go", () => {
    const said = (name: string) =>
      documentsOf(generate(meshSet(name)), "DestinationRule")
        .flatMap(({ spec }) => spec.subsets ?? [])
        .map(({ trafficPolicy }: Loose) => trafficPolicy)
        .filter(({ tls }: Loose) => tls !== undefined && tls.mode !== "ISTIO_MUTUAL");
    expect(said("mutual-tls")).toMatchObject([{ tls: { mode: "MUTUAL", credentialName: "partner-client" } }]);
    expect(said("own-authority")).toMatchObject([{ tls: { mode: "SIMPLE", credentialName: "private-authority" } }]);
    expect(said("grpc")).toMatchObject([{ connectionPool: { http: { h2UpgradePolicy: "UPGRADE" } } }]);
  });

  it("the lowest version of TLS is said where a DestinationRule cannot", () => {
    expect(JSON.stringify(patchesOf(generate(meshSet("mutual-tls"))))).toContain(
      '"tls_minimum_protocol_version":"TLSv1_3"',
    );
  });
});
