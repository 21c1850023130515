import { expect, it } from "vitest";
import { pathCovers } from "../../src/analyze/lint/path-cover.ts";
import { createSubjectCover } from "../../src/analyze/lint/subject-cover.ts";
import { compileBundle } from "../../src/bundle/compile.ts";
import type { CheckInput } from "../../src/pdp/decision.ts";
import { createEngine, type Engine } from "../../src/pdp/engine.ts";
import { readEngineModule } from "../../src/pdp/engine-module.ts";
import type { PathPattern, PolicySet } from "../../src/policy/model.ts";
import { ruleId } from "../../src/policy/model.ts";
import { asFiles, lintFiles, requireFiles } from "./load.ts";

const engineModule = readEngineModule();

const GATEWAY = `apiVersion: sallyport.dev/v1alpha1
kind: EgressGateway
metadata: {name: egress, namespace: istio-egress}
spec: {trustDomains: [cluster.local, mesh.example], federatedTrustDomains: [partner.example]}
`;

function engineOf(set: PolicySet): Engine {
  return createEngine(engineModule, compileBundle(set));
}

function policy(name: string, namespace: string, rules: readonly object[], mode = "enforce"): string {
  const metadata = { name, namespace };
  return JSON.stringify({
    ...{ apiVersion: "sallyport.dev/v1alpha1", kind: "EgressPolicy", metadata },
    spec: { owner: "o@example.com", mode, rules },
  });
}

function service(name: string, hosts: readonly string[], ports: readonly string[], namespace?: string): string {
  const written = ports.map((port) => ({ number: Number(port.split("/")[0]), protocol: port.split("/")[1] }));
  const metadata = namespace === undefined ? { name } : { name, namespace };
  return JSON.stringify({
    ...{ apiVersion: "sallyport.dev/v1alpha1", kind: "ExternalService", metadata },
    spec: { hosts, ports: written },
  });
}

function ask(principal: string, path: string): CheckInput {
  return { kind: "http", principal, host: "api.example.com", port: "80", method: "GET", path, headers: [] };
}

const PATTERNS = [
  ...[
    "/",
    "/a",
    "/a/",
    "/a/b",
    "/b/a",
    "/a/b/c",
    "/a*",
    "/a/*",
    "/a/b*",
    "/*",
    "/b/*",
    "/{*}",
    "/{**}",
    "/a/{*}",
    "/{*}/b",
  ],
  ...[
    "/{*}/",
    "/a/{**}",
    "/{*}/{**}",
    "/{*}/{*}",
    "/{*}/{*}/{**}",
    "/a/{*}/{**}",
    "/{*}/b/{**}",
    "/a/{*}/c",
    "/{*}/{*}/c",
  ],
  ...["/a/b/{**}", "/a/{*}/", "/b/{*}/{**}"],
] as const;

it("a path pattern that is told to cover another matches all that the other does, by the engine", () => {
  const segments = ["", "a", "b", "c", "ab"];
  const deeper = (paths: readonly string[]) => paths.flatMap((path) => segments.map((each) => `${path}/${each}`));
  const one = deeper([""]);
  const paths = [...one, ...deeper(one), ...deeper(deeper(one)), ...deeper(deeper(deeper(one)))];
  const rules = PATTERNS.map((path, index) => ({
    ...{ name: `r${String(index).padStart(2, "0")}`, from: [{ namespace: "shop" }] },
    to: [{ service: "api", paths: [path] }],
  }));
  const files = {
    "a.yaml": [GATEWAY, service("api", ["api.example.com"], ["80/HTTP"]), policy("p", "istio-egress", rules)].join(
      "\n---\n",
    ),
  };
  const set = requireFiles(asFiles(files));
  const engine = engineOf(set);
  const matched = new Map<string, Set<string>>(rules.map(({ name }) => [`p/${name}`, new Set()]));
  for (const path of paths) {
    for (const id of engine.decide(ask("spiffe://cluster.local/ns/shop/sa/x", path), 0).rules)
      matched.get(id)?.add(path);
  }
  const known = new Map(set.policies[0]?.rules.map((rule) => [`p/${rule.name}`, rule.to?.[0]?.paths?.[0]]));
  let told = 0;
  let missed = 0;
  for (const [outer, wide] of matched) {
    for (const [inner, narrow] of matched) {
      const [a, b] = [known.get(outer), known.get(inner)] as [PathPattern, PathPattern];
      const holds = [...narrow].every((each) => wide.has(each));
      const covers = pathCovers(a, b);
      expect(!covers || holds, `${a.text} over ${b.text}`).toBe(true);
      if (covers) told++;
      else if (holds) missed++;
    }
  }
  process.stdout.write(`${told} pairs of patterns told to cover, ${missed} missed, over ${paths.length} paths\n`);
  expect(told).toBeGreaterThan(100);
  expect(missed).toBe(0);
});

const SELECTORS: Readonly<Record<string, readonly object[]>> = {
  "": [
    ...[{ namespace: "shop" }, { namespace: "till" }, { serviceAccount: "shop/cart" }, { trustDomain: "mesh.example" }],
    ...[
      { trustDomain: "partner.example" },
      { spiffe: "spiffe://cluster.local/*" },
      { spiffe: "spiffe://cluster.local/ns/*" },
    ],
    ...[{ spiffe: "spiffe://cluster.local/ns/shop/*" }, { spiffe: "spiffe://cluster.local/ns/shop/sa/*" }],
    ...[{ spiffe: "spiffe://cluster.local/ns/shop/sa/cart/*" }, { spiffe: "spiffe://cluster.local" }],
    ...[{ spiffe: "spiffe://partner.example/*" }, { spiffe: "spiffe://partner.example/ns/shop/sa/cart" }],
    ...[{ spiffe: "spiffe://cluster.local/batch/x" }, { group: "mixed" }, { group: "wide" }, { group: "partners" }],
  ],
  shop: [
    ...[{ namespace: "shop" }, { serviceAccount: "shop/cart" }, { spiffe: "spiffe://cluster.local/ns/shop/sa/*" }],
    ...[{ group: "mixed" }, { group: "wide" }, { group: "carts" }, { group: "partners" }],
  ],
  till: [{ namespace: "till" }, { serviceAccount: "till/cart" }, { group: "mixed" }, { group: "wide" }],
};
const GROUPS = [
  ["mixed", "istio-egress", [{ serviceAccount: "shop/cart" }, { namespace: "till" }]],
  ["wide", "istio-egress", [{ trustDomain: "cluster.local" }]],
  [
    "partners",
    "istio-egress",
    [{ trustDomain: "partner.example" }, { spiffe: "spiffe://cluster.local/ns/shop/sa/cart/*" }],
  ],
  ["carts", "shop", [{ serviceAccount: "shop/cart" }]],
] as const;

it("a selector that is told to cover another means all workloads that the other means, by the engine", () => {
  const paths = [
    ...[
      "",
      "/x",
      "/ns",
      "/ns/shop",
      "/ns/shop/sa",
      "/ns/shop/sa/cart",
      "/ns/shop/sa/pay",
      "/ns/shop/sa/cart/x",
      "/ns/till/sa/cart",
    ],
    ...["/ns/till/sa/pay", "/ns/other/sa/cart", "/batch", "/batch/x", "/ns/shop/x/cart"],
  ];
  const identities = ["cluster.local", "mesh.example", "partner.example"].flatMap((domain) =>
    paths.map((path) => `spiffe://${domain}${path}`),
  );
  const policies = Object.entries(SELECTORS).map(([scope, selectors]) => {
    const rules = selectors.map((selector, index) => ({
      ...{ name: `r${String(index).padStart(2, "0")}`, effect: "deny", from: [selector], reason: "a test" },
    }));
    return policy("p", scope === "" ? "istio-egress" : scope, rules);
  });
  const groups = GROUPS.map(([name, namespace, members]) =>
    JSON.stringify({
      ...{ apiVersion: "sallyport.dev/v1alpha1", kind: "IdentityGroup", metadata: { name, namespace } },
      spec: { members },
    }),
  );
  const text = [GATEWAY, service("api", ["api.example.com"], ["80/HTTP"]), ...groups, ...policies].join("\n---\n");
  const set = requireFiles(asFiles({ "a.yaml": text }));
  const engine = engineOf(set);
  const meant = new Map<string, Set<string>>();
  for (const identity of identities) {
    for (const id of engine.decide(ask(identity, "/"), 0).rules)
      meant.set(id, (meant.get(id) ?? new Set()).add(identity));
  }
  const cover = createSubjectCover(set);
  const rules = set.policies.flatMap((each) =>
    each.rules.map((rule) => ({ id: ruleId(each, rule), scope: each.scope, selector: rule.from?.[0] ?? null })),
  );
  let told = 0;
  let missed = 0;
  for (const outer of rules) {
    for (const inner of rules) {
      if (outer.scope !== "" && outer.scope !== inner.scope) continue;
      const parts = cover.parts(inner.selector, inner.scope);
      const covers = parts.every((keys) => keys.includes(cover.key(outer.selector)));
      const holds = [...(meant.get(inner.id) ?? [])].every((each) => meant.get(outer.id)?.has(each) === true);
      expect(!covers || holds, `${JSON.stringify(outer)} over ${JSON.stringify(inner)}`).toBe(true);
      expect(parts.length === 0, JSON.stringify(inner)).toBe(!meant.has(inner.id));
      if (covers) told++;
      else if (holds) missed++;
    }
  }
  process.stdout.write(
    `${told} pairs of selectors told to cover, ${missed} missed, over ${identities.length} identities\n`,
  );
  expect(told).toBeGreaterThan(100);
  expect(missed).toBe(0);
});

const FROM = [{ namespace: "shop" }];
const ALLOW = { name: "a", from: FROM, ticket: "T-1" };
const DENY = { name: "d", effect: "deny", from: FROM, reason: "a test" };

/** What a second rule makes of a first. */
const PAIRS: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  [
    "an allow under an expression covers none, and one without covers it",
    [
      service("api", ["api.example.com"], ["80/HTTP"]),
      policy("p", "shop", [{ ...ALLOW, to: [{ service: "api" }], when: "target.port == 80" }]),
      policy("q", "shop", [{ ...ALLOW, to: [{ service: "api" }], when: "now.getHours() > 7" }]),
      policy("r", "shop", [{ ...ALLOW, to: [{ service: "api", methods: ["GET"] }], when: "target.port == 80" }]),
    ],
    ["shop/r/a redundant-rule"],
  ],
  [
    "a deny under an expression beats an allow under the same one only",
    [
      service("api", ["api.example.com"], ["80/HTTP"]),
      policy("p", "shop", [{ ...DENY, to: [{ service: "api" }], when: "target.port == 80" }]),
      policy("q", "shop", [{ ...ALLOW, to: [{ service: "api" }], when: "target.port == 80" }]),
      policy("r", "shop", [{ ...ALLOW, to: [{ service: "api" }] }]),
    ],
    ["shop/q/a contradictory-rules", "shop/q/a redundant-rule"],
  ],
  [
    "where its expression cannot be seen an allow never matches, which leaves nothing else to cover",
    [
      service("api", ["api.example.com"], ["443/TLS", "80/HTTP"]),
      policy("p", "shop", [{ ...ALLOW, to: [{ service: "api" }], when: "target.method == 'GET'" }]),
      policy("q", "shop", [{ ...ALLOW, to: [{ service: "api", ports: [80] }], when: "target.method == 'GET'" }]),
    ],
    ["shop/q/a redundant-rule"],
  ],
  [
    "a root allow by host does not see the namespace's own service",
    [
      service("own", ["api.example.com"], ["80/HTTP"], "shop"),
      service("all", ["*.example.com"], ["80/HTTP"]),
      policy("p", "istio-egress", [{ ...ALLOW, to: [{ hosts: ["api.example.com"] }] }]),
      policy("p", "shop", [{ ...ALLOW, to: [{ hosts: ["api.example.com"] }] }]),
    ],
    [],
  ],
  [
    "a root allow by host covers a namespace's where only global services own it",
    [
      service("all", ["*.example.com"], ["80/HTTP"]),
      policy("p", "istio-egress", [{ ...ALLOW, to: [{ hosts: ["api.example.com"] }] }]),
      policy("p", "shop", [{ ...ALLOW, to: [{ hosts: ["api.example.com"] }] }]),
    ],
    ["shop/p/a redundant-rule"],
  ],
  [
    "an allow by a wider host does not bind to a narrower owner",
    [
      service("all", ["*.example.com"], ["80/HTTP"]),
      service("api", ["api.example.com"], ["80/HTTP"]),
      policy("p", "shop", [{ ...ALLOW, to: [{ hosts: ["*.example.com"] }] }]),
      policy("q", "shop", [{ ...ALLOW, to: [{ service: "api" }] }]),
    ],
    [],
  ],
  [
    "an allow by service covers one by host that it owns on every port asked for",
    [
      service("api", ["*.example.com"], ["80/HTTP", "443/TLS"]),
      service("odd", ["api.example.com"], ["8080/HTTP"]),
      policy("p", "shop", [{ ...ALLOW, to: [{ service: "api" }] }]),
      policy("q", "shop", [{ ...ALLOW, to: [{ hosts: ["api.example.com"], ports: [80, 443] }] }]),
    ],
    ["shop/q/a redundant-rule"],
  ],
  [
    "but not where another service owns a port",
    [
      service("api", ["*.example.com"], ["80/HTTP", "443/TLS"]),
      service("odd", ["api.example.com"], ["8080/HTTP"]),
      policy("p", "shop", [{ ...ALLOW, to: [{ service: "api" }] }]),
      policy("q", "shop", [{ ...ALLOW, to: [{ hosts: ["api.example.com"], ports: [80, 8080] }] }]),
    ],
    [],
  ],
  [
    "a deny by hosts covers a service whose every host it names",
    [
      service("api", ["api.example.com", "x.example.org"], ["80/HTTP"]),
      policy("p", "istio-egress", [{ ...DENY, to: [{ hosts: ["*.example.com"] }, { hosts: ["x.example.org"] }] }]),
      policy("q", "shop", [{ ...ALLOW, to: [{ service: "api" }] }]),
    ],
    ["shop/q/a shadowed-rule"],
  ],
  [
    "and not one of which it misses a host",
    [
      service("api", ["api.example.com", "x.example.org"], ["80/HTTP"]),
      policy("p", "istio-egress", [{ ...DENY, to: [{ hosts: ["*.example.com"] }] }]),
      policy("q", "shop", [{ ...ALLOW, to: [{ service: "api" }] }]),
    ],
    [],
  ],
  [
    "a deny that asks for more than the allow leaves some of it",
    [
      service("api", ["api.example.com"], ["80/HTTP", "443/TLS"]),
      policy("p", "istio-egress", [{ ...DENY, to: [{ service: "api", ports: [80], methods: ["GET"] }] }]),
      policy("q", "shop", [{ ...ALLOW, to: [{ service: "api", ports: [80] }] }]),
    ],
    [],
  ],
  [
    "where method and path cannot be seen an allow that asks for them never matches",
    [
      service("api", ["api.example.com"], ["80/HTTP", "443/TLS"]),
      policy("p", "istio-egress", [{ ...DENY, to: [{ service: "api", ports: [80] }] }]),
      policy("q", "shop", [{ ...ALLOW, to: [{ service: "api", methods: ["GET"] }] }]),
    ],
    ["shop/q/a shadowed-rule"],
  ],
  [
    "there a deny that asks for them always does: it is more than one that names its ports",
    [
      service("api", ["api.example.com"], ["80/HTTP", "443/TLS"]),
      policy("p", "istio-egress", [
        { ...DENY, to: [{ service: "api", ports: [80], methods: ["GET"] }] },
        { ...DENY, name: "e", to: [{ service: "api", methods: ["GET"] }] },
      ]),
    ],
    ["p/d redundant-rule"],
  ],
  [
    "several rules together cover what none does alone",
    [
      service("api", ["api.example.com"], ["80/HTTP"]),
      policy("p", "shop", [
        { ...ALLOW, name: "a", from: [{ serviceAccount: "shop/x" }], to: [{ service: "api" }] },
        { ...ALLOW, name: "b", from: [{ serviceAccount: "shop/y" }], to: [{ service: "api" }] },
        {
          ...ALLOW,
          name: "c",
          from: [{ serviceAccount: "shop/x" }, { serviceAccount: "shop/y" }],
          to: [{ service: "api", methods: ["GET"] }],
        },
      ]),
    ],
    ["shop/p/c redundant-rule"],
  ],
  [
    "rules that cover each other do not all go",
    [
      service("api", ["api.example.com"], ["80/HTTP"]),
      policy("p", "shop", [
        { ...ALLOW, name: "a", to: [{ service: "api" }] },
        { ...ALLOW, name: "b", to: [{ hosts: ["api.example.com"] }] },
        { ...ALLOW, name: "c", to: [{ service: "api", ports: [80] }] },
      ]),
    ],
    ["shop/p/b redundant-rule", "shop/p/c redundant-rule"],
  ],
  [
    "a staged deny shadows nothing that is enforced",
    [
      service("api", ["api.example.com"], ["80/HTTP"]),
      policy("p", "istio-egress", [{ ...DENY, to: [{ service: "api" }] }], "report"),
      policy("q", "shop", [{ ...ALLOW, to: [{ service: "api" }] }]),
    ],
    [],
  ],
  [
    "a deny that ends leaves an expired allow to be named",
    [
      service("api", ["api.example.com"], ["80/HTTP"]),
      policy("p", "istio-egress", [{ ...DENY, to: [{ service: "api" }], expires: "2028-01-01T00:00:00Z" }]),
      policy("q", "shop", [{ ...ALLOW, to: [{ service: "api" }], expires: "2028-01-01T00:00:00Z" }]),
    ],
    [],
  ],
  [
    "under AllowAny a deny of hosts that nobody registers matches",
    [
      service("api", ["api.example.com"], ["80/HTTP"]),
      policy("p", "istio-egress", [
        { ...DENY, to: [{ hosts: ["*.example.com"], ports: [8080] }] },
        { ...ALLOW, to: [{ service: "api" }] },
      ]),
    ],
    ["p/d never-matching-rule"],
  ],
];

it.each(PAIRS)("%s", (title, documents, expected) => {
  const lint = (gateway: string) =>
    lintFiles(asFiles({ "a.yaml": [gateway, ...documents].join("\n---\n") }))
      .findings.filter(({ code }) => code.endsWith("-rule") || code === "contradictory-rules")
      .map(({ code, subject }) => `${subject} ${code}`);
  expect(lint(GATEWAY)).toEqual(expected);
  if (title.startsWith("under AllowAny"))
    expect(lint(GATEWAY.replace("spec: {", "spec: {securityModel: AllowAny, "))).toEqual([]);
});
