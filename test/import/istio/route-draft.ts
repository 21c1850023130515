import * as fc from "fast-check";
import { stringify } from "yaml";
import type { Entry } from "./judge.ts";
import { meshDraft, meshText } from "./mesh-draft.ts";
import type { Destination, RoutedMesh, RouteMatch, RouteObject, ServerObject, ServiceObject } from "./route-judge.ts";

const GATEWAY_HOST = "egress.istio-egress.svc.cluster.local";
const HOSTS = [
  "api.example.com",
  "api.example.com",
  "www.example.com",
  "*.example.com",
  "*.b.example.com",
  "example.org",
];

const text = (...exact: readonly string[]) =>
  fc.oneof(
    fc.constantFrom(...exact).map((value) => ({ exact: value })),
    fc.constantFrom(...exact).map((value) => ({ prefix: value })),
    fc.constantFrom(...exact).map((value) => ({ regex: `${value}.*` })),
  );

const uri = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      { prefix: "/" },
      { prefix: "/a" },
      { exact: "/a" },
      { prefix: "/v1/" },
      { exact: "/a/b" },
    ),
  },
  text("/a", "/v1/charges"),
  fc.constantFrom({ exact: "/A" }, { exact: "/a*" }, { prefix: "/{*}" }, { exact: "/a?q=1" }),
);

/** Conditions of requests: mostly one or two. */
const requestMatch: fc.Arbitrary<RouteMatch> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({}) },
  { weight: 5, arbitrary: uri.map((each) => ({ uri: each })) },
  { weight: 3, arbitrary: text("GET", "POST").map((each) => ({ method: each })) },
  { weight: 2, arbitrary: text("red").map((each) => ({ headers: { "x-team": each } })) },
  { weight: 2, arbitrary: fc.record({ uri, method: fc.constantFrom({ exact: "GET" }, { exact: "DELETE" }) }) },
  fc.constantFrom<RouteMatch[]>(
    { sourceNamespace: "one" },
    { sourceLabels: { app: "web" } },
    { withoutHeaders: { "x-team": { exact: "red" } } },
    { queryParams: { q: { exact: "1" } } },
    { uri: { prefix: "/A" }, ignoreUriCase: true },
  ),
);

const tlsMatch: fc.Arbitrary<RouteMatch> = fc
  .uniqueArray(fc.constantFrom(...HOSTS), { minLength: 1, maxLength: 2 })
  .chain((sniHosts) => fc.constantFrom<RouteMatch>({ sniHosts }, { sniHosts }, { sniHosts, sourceNamespace: "two" }));

const SERVERS: readonly ServerObject[] = [
  { port: { number: 443, protocol: "HTTPS", name: "https" }, hosts: ["*"], tls: { mode: "ISTIO_MUTUAL" } },
  { port: { number: 8080, protocol: "HTTP", name: "http" }, hosts: ["*"] },
  { port: { number: 8443, protocol: "TLS", name: "tls" }, hosts: ["*"], tls: { mode: "ISTIO_MUTUAL" } },
  { port: { number: 9443, protocol: "TLS", name: "pass" }, hosts: ["*"], tls: { mode: "PASSTHROUGH" } },
];

const servers: fc.Arbitrary<readonly ServerObject[]> = fc
  .uniqueArray(fc.constantFrom(...SERVERS), { minLength: 2, maxLength: 4 })
  .chain((some) =>
    fc
      .array(
        fc.constantFrom<Partial<ServerObject>[]>(
          {},
          {},
          {},
          {},
          { hosts: ["*.example.com"] },
          { hosts: ["./*"] },
          { tls: { mode: "ISTIO_MUTUAL", subjectAltNames: ["a"] } },
        ),
        { minLength: some.length, maxLength: some.length },
      )
      .map((changes) => some.map((each, i) => ({ ...each, ...changes[i] }))),
  );

/** Where routes of a host lead, from the sidecar or from the gateway. */
const legs = (seat: "mesh" | "egress", host: string, ports: readonly number[]): fc.Arbitrary<RouteObject> => {
  const destination = (each: Destination): RouteObject => ({ route: [{ destination: each }] });
  const good = fc
    .constantFrom(...(seat === "mesh" ? [443, 443, 8080, 8443, 9443] : ports))
    .map((number) => destination({ host: seat === "mesh" ? GATEWAY_HOST : host, port: { number } }));
  return fc.oneof(
    { weight: 12, arbitrary: good },
    { weight: 2, arbitrary: fc.constant(destination({ host: seat === "mesh" ? GATEWAY_HOST : host })) },
    { weight: 1, arbitrary: fc.constant(destination({ host, port: { number: 80 } })) },
    {
      weight: 3,
      arbitrary: fc.constantFrom<RouteObject[]>(
        { directResponse: { status: 403 } },
        { redirect: { uri: "/" } },
        { delegate: { name: "other" } },
        { fault: { abort: { httpStatus: 500 } }, ...destination({ host }) },
        { rewrite: { uri: "/" }, ...destination({ host }) },
        { headers: { request: { set: { a: "b" } } }, ...destination({ host }) },
        destination({ host: "elsewhere.example.net" }),
        destination({ host, subset: "v1" }),
      ),
    },
    {
      weight: 1,
      arbitrary: fc.constant<RouteObject>({
        timeout: "1s",
        fault: { delay: { fixedDelay: "1s" } },
        ...destination({ host, port: { number: 443 } }),
      }),
    },
  );
};

const serviceDraft: fc.Arbitrary<ServiceObject> = fc
  .record({
    namespace: fc.constantFrom("istio-egress", "istio-egress", "one"),
    hosts: fc.uniqueArray(fc.constantFrom(...HOSTS), { minLength: 1, maxLength: 2 }),
    gateways: fc.constantFrom(
      ["mesh", "istio-egress/egress"],
      ["mesh", "istio-egress/egress"],
      ["mesh"],
      ["istio-egress/egress"],
      undefined,
    ),
    shapes: fc.array(fc.constantFrom<("mesh" | "egress" | "both")[]>("mesh", "mesh", "egress", "egress", "both"), {
      minLength: 2,
      maxLength: 5,
    }),
  })
  .chain(({ shapes, ...about }) => {
    const host = about.hosts.find((each) => !each.startsWith("*")) ?? "api.example.com";
    const route = (
      shape: (typeof shapes)[number],
      match: fc.Arbitrary<RouteMatch>,
      ports: readonly number[],
    ): fc.Arbitrary<RouteObject> =>
      fc
        .tuple(
          legs(shape === "egress" ? "egress" : "mesh", host, ports),
          fc.array(match, { minLength: 1, maxLength: 2 }),
          fc.constantFrom(undefined, undefined, 80, 443, 8080),
        )
        .map(([leg, matches, port]) => ({
          match: matches.map((each) => ({
            ...each,
            ...(shape === "both" ? {} : { gateways: [shape === "mesh" ? "mesh" : "istio-egress/egress"] }),
            ...(port === undefined ? {} : { port }),
          })),
          ...leg,
        }));
    return fc.record({
      namespace: fc.constant(about.namespace),
      hosts: fc.constant(about.hosts),
      ...(about.gateways === undefined ? {} : { gateways: fc.constant(about.gateways) }),
      http: fc.tuple(...shapes.map((shape) => route(shape, requestMatch, [80, 8080]))),
      tls: fc.tuple(...shapes.slice(0, 2).map((shape) => route(shape, tlsMatch, [443]))),
      tcp: fc.tuple(...shapes.slice(2, 3).map(() => route("egress", fc.constant({}), [443]))),
    });
  });

const STOPS: readonly RouteObject[] = [
  { directResponse: { status: 403 } },
  { redirect: { uri: "/" } },
  { route: [{ destination: { host: "elsewhere.example.net" } }] },
];

/** Routes of a registered host to the gateway and on, in which requests are stopped on their way. */
const throughDraft = ({ hosts, ports }: Entry): fc.Arbitrary<ServiceObject> => {
  const host = hosts.find((each) => !each.startsWith("*")) ?? hosts[0] ?? "";
  const out = { route: [{ destination: { host, port: { number: ports[0]?.number ?? 80 } } }] };
  const isSaid = (each: RouteMatch): boolean => Object.keys(each).length > 0;
  const match = fc.oneof(
    requestMatch.filter(isSaid),
    fc.constantFrom<RouteMatch[]>(
      { uri: { prefix: "/A" }, ignoreUriCase: true },
      { uri: { exact: "/a" } },
      { method: { exact: "GET" } },
    ),
  );
  const part = fc.record({ match, leg: fc.oneof(fc.constantFrom(...STOPS), fc.constant(out)) });
  return fc
    .record({
      arrival: fc.constantFrom(443, 443, 8080),
      parts: fc.array(part, { maxLength: 3 }),
      seat: fc.constantFrom("mesh", "istio-egress/egress"),
      last: fc.constantFrom(true, true, false),
      tls: fc.constantFrom(8443, 9443),
    })
    .map(({ arrival, parts, seat, last, tls }) => {
      const toGateway = (number: number): RouteObject => ({
        route: [{ destination: { host: GATEWAY_HOST, port: { number } } }],
      });
      // A part that is let on at the sidecar goes to the gateway first.
      const asked = parts.map(({ match: each, leg }): RouteObject => {
        const on = leg === out && seat === "mesh" ? toGateway(arrival) : leg;
        return { match: [{ ...each, gateways: [seat] }], ...on };
      });
      const all: readonly RouteObject[] = [
        ...asked,
        { match: [{ gateways: ["mesh"] }], ...toGateway(arrival) },
        ...(last ? [{ match: [{ gateways: ["istio-egress/egress"] }], ...out }] : []),
      ];
      const sniHosts = [host];
      return {
        namespace: "istio-egress",
        hosts: [host],
        gateways: ["mesh", "istio-egress/egress"],
        http: all,
        tls: [
          { match: [{ sniHosts, gateways: ["mesh"] }], ...toGateway(tls) },
          { match: [{ sniHosts, gateways: ["istio-egress/egress"] }], ...out },
        ],
        tcp: [{ match: [{ gateways: ["istio-egress/egress"] }], ...out }],
      };
    });
};

/** A mesh with routes. */
export const routedDraft: fc.Arbitrary<RoutedMesh> = meshDraft(true).chain((mesh) => {
  const [first, ...others] = mesh.entries.map(throughDraft);
  const services = fc.array(first === undefined ? serviceDraft : fc.oneof(serviceDraft, first, first, ...others), {
    minLength: 1,
    maxLength: 3,
  });
  // Mostly policies that leave it to the routes.
  const named = { from: [{ source: { namespaces: ["one", "two"] } }] };
  const policies = fc.constantFrom(
    mesh.policies,
    ...[{}, named].map((rule) => [{ namespace: "istio-egress", action: "ALLOW" as const, rules: [rule] }]),
  );
  return fc.record({ services, servers, policies }).map((routed) => ({ ...mesh, ...routed }));
});

/** The objects as YAML. */
export function routedText({ services, servers: some, ...mesh }: RoutedMesh): string {
  const object = (kind: string, name: string, namespace: string, spec: object): string =>
    stringify(
      { apiVersion: "networking.istio.io/v1", kind, metadata: { name, namespace }, spec },
      { aliasDuplicateObjects: false },
    );
  return [
    meshText(mesh),
    object("Gateway", "egress", "istio-egress", { selector: { istio: "egressgateway" }, servers: some }),
    ...services.map(({ namespace, ...spec }, i) => object("VirtualService", `service-${i}`, namespace, spec)),
  ].join("---\n");
}
