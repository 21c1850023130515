import * as fc from "fast-check";
import { stringify } from "yaml";
import type { Entry, MeshObjects, Policy, PolicyRule, SidecarHosts } from "./judge.ts";

export const NAMESPACES = ["one", "two"] as const;
export const ACCOUNTS = ["web", "job"] as const;
export const HOSTS = [
  "api.example.com",
  "www.example.com",
  "a.b.example.com",
  "example.org",
  "unknown.example.net",
] as const;
export const PORTS = [80, 443, 8080] as const;
export const PATHS = ["/", "/a", "/a/b", "/a/b/c", "/v1/charges", "/v1/charges/x?q=1"] as const;
export const METHODS = ["GET", "POST", "DELETE", "PURGE"] as const;

const NATURAL = { 80: "HTTP", 443: "TLS", 8080: "HTTP2" } as const;

/** `plain` = only what is carried over exactly. */
export const meshDraft = (plain: boolean): fc.Arbitrary<MeshObjects> =>
  fc.record({
    entries: fc.array(entryDraft, { minLength: 1, maxLength: 3 }),
    sidecars: fc.array(sidecarDraft, { maxLength: 1 }),
    policies: fc.array(policyDraft(plain), { minLength: 1, maxLength: 3 }),
  });

const entryDraft: fc.Arbitrary<Entry> = fc.record(
  {
    namespace: fc.constantFrom("istio-egress", "one"),
    hosts: fc.uniqueArray(
      fc.constantFrom("api.example.com", "www.example.com", "*.example.com", "*.b.example.com", "example.org"),
      {
        minLength: 1,
        maxLength: 2,
      },
    ),
    ports: fc
      .uniqueArray(fc.constantFrom(...PORTS), { minLength: 1, maxLength: 2 })
      .map((ports) => ports.map((number) => ({ number, name: `port-${number}`, protocol: NATURAL[number] }))),
    exportTo: fc.constantFrom(["*"], ["*"], ["*"], ["."], ["two"], ["one", "two"]),
  },
  { requiredKeys: ["namespace", "hosts", "ports"] },
);

const sidecarDraft: fc.Arbitrary<SidecarHosts> = fc.record({
  namespace: fc.constantFrom(...NAMESPACES),
  hosts: fc.uniqueArray(
    fc.constantFrom("*/*", "istio-egress/*", "./*", "*/api.example.com", "*/*.example.com", "one/example.org"),
    {
      minLength: 1,
      maxLength: 3,
    },
  ),
});

const some = (...values: readonly string[]): fc.Arbitrary<string[]> =>
  fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 2 });

const PLAIN_SOURCES = {
  principals: some("cluster.local/ns/one/sa/web", "cluster.local/ns/two/*", "*/ns/one/sa/job"),
  namespaces: some("one", "two"),
  serviceAccounts: some("one/web", "two/job"),
};
const ODD_SOURCES = {
  ...PLAIN_SOURCES,
  principals: some(
    "cluster.local/ns/one/sa/web",
    "cluster.local/ns/one/sa/w*",
    "*/sa/job",
    "*",
    "other.domain/ns/one/sa/web",
    "cluster.local/ns/t*",
  ),
  notPrincipals: some("cluster.local/ns/one/sa/web", "cluster.local/ns/two/*", "*/sa/job", "*"),
  namespaces: some("one", "two", "t*", "*"),
  notNamespaces: some("one", "t*"),
  notServiceAccounts: some("one/web", "job"),
  ipBlocks: some("10.0.0.0/8"),
  requestPrincipals: some("*"),
};
const PLAIN_OPERATIONS = {
  hosts: some("api.example.com", "*.example.com", "example.org", "api.example.com:8080", "*"),
  methods: some("GET", "POST", "DELETE"),
  paths: some("/a", "/a*", "/v1/charges/{*}", "/v1/{**}", "/"),
};
const ODD_OPERATIONS = {
  ...PLAIN_OPERATIONS,
  hosts: some(
    "api.example.com",
    "*ple.com",
    "*b.example.com",
    "*example.org:8080",
    "api.*",
    "API.example.com",
    "api.example.com:*",
    "*:8080",
  ),
  notHosts: some("api.example.com", "*.b.example.com", "api.*", "example.org"),
  methods: some("GET", "P*", "*", "PURGE"),
  notMethods: some("GET", "P*", "POST"),
  paths: some("/a", "*/b", "/a/{**}/c", "*", "/v1/charges"),
  notPaths: some("/a", "/a*", "*/c", "/v1/charges/{*}"),
  ports: some("8443", "9000"),
  notPorts: some("8443"),
};
const plainWhen = fc.constantFrom(
  { key: "request.headers[X-Team]", values: ["red"] },
  { key: "connection.sni", values: ["api.example.com", "*.example.com"] },
  { key: "source.namespace", values: ["one"] },
  { key: "source.principal", values: ["cluster.local/ns/one/sa/web"] },
);
const oddWhen = fc.constantFrom<NonNullable<PolicyRule["when"]>[number]>(
  { key: "request.headers[X-Team]", values: ["r*"] },
  { key: "request.headers[x-team]", notValues: ["red"] },
  { key: "connection.sni", values: ["*ple.com"] },
  { key: "connection.sni", notValues: ["api.example.com"] },
  { key: "connection.sni", values: ["www*"] },
  { key: "source.namespace", notValues: ["one"] },
  { key: "destination.port", values: ["8443"] },
  { key: "request.auth.claims[iss]", values: ["x"] },
);

const ruleDraft = (plain: boolean): fc.Arbitrary<PolicyRule> => {
  const source = fc.record(plain ? PLAIN_SOURCES : ODD_SOURCES, { requiredKeys: [] }).map((all) => firstOf(all, 1));
  const operation = fc
    .record(plain ? PLAIN_OPERATIONS : ODD_OPERATIONS, { requiredKeys: [] })
    .map((all) => firstOf(all, 2));
  const listOf = <T extends object, K extends string>(key: K, each: fc.Arbitrary<T>) =>
    fc.array(
      each.filter((value) => Object.keys(value).length > 0).map((value) => ({ [key]: value }) as Record<K, T>),
      {
        minLength: 1,
        maxLength: 2,
      },
    );
  return fc
    .record(
      {
        from: listOf("source", source),
        to: listOf("operation", operation),
        when: fc
          .array(plain ? plainWhen : fc.oneof(plainWhen, oddWhen), { minLength: 1, maxLength: 1 })
          .chain((conditions) => fc.constantFrom(undefined, undefined, undefined, conditions)),
      },
      { requiredKeys: ["when"] },
    )
    .map(({ when, ...rule }) => (when === undefined ? rule : { ...rule, when })) as fc.Arbitrary<PolicyRule>;
};

/** Few of the fields, or hardly a rule would ever match. */
function firstOf(fields: Readonly<Record<string, unknown>>, most: number): Record<string, string[]> {
  const kept = Object.entries(fields).filter(([, values]) => values !== undefined);
  const shift = JSON.stringify(kept).length % Math.max(1, kept.length);
  return Object.fromEntries([...kept.slice(shift), ...kept.slice(0, shift)].slice(0, most)) as Record<string, string[]>;
}

const policyDraft = (plain: boolean): fc.Arbitrary<Policy> =>
  fc.record({
    namespace: fc.constantFrom("istio-egress", "istio-system"),
    action: fc.constantFrom<Policy["action"][]>(
      ...(["ALLOW", "ALLOW", "ALLOW", "DENY"] as const),
      ...(plain ? [] : (["CUSTOM", "AUDIT"] as const)),
    ),
    rules: fc.array(ruleDraft(plain), { minLength: 1, maxLength: 3 }),
  });

/** The objects as YAML. */
export function meshText({ entries, sidecars, policies }: MeshObjects): string {
  const object = (apiVersion: string, kind: string, name: string, namespace: string, spec: object): string =>
    stringify({ apiVersion, kind, metadata: { name, namespace }, spec }, { aliasDuplicateObjects: false });
  return [
    ...entries.map(({ namespace, ...spec }, i) =>
      object("networking.istio.io/v1", "ServiceEntry", `entry-${i}`, namespace, { ...spec, resolution: "DNS" }),
    ),
    ...sidecars.map(({ namespace, hosts }, i) =>
      object("networking.istio.io/v1", "Sidecar", `sidecar-${i}`, namespace, { egress: [{ hosts }] }),
    ),
    ...policies.map(({ namespace, ...spec }, i) =>
      object("security.istio.io/v1", "AuthorizationPolicy", `policy-${i}`, namespace, spec),
    ),
  ].join("---\n");
}
