import { describe, expect, test } from "vitest";
import { judge } from "./decide.ts";
import type { PlacedDocument, RuleTarget } from "./documents.ts";
import { gateway, group, policy, request, service, upgrading } from "./sample.ts";
import type { Request } from "./target.ts";

const NOW = Date.parse("2026-11-23T12:00:00Z");
const CART = [{ serviceAccount: "shop/cart" }];
const VENDOR = service(
  "",
  "vendor",
  ["api.example.com", "*.example.com"],
  ["80/HTTP", "443/TLS", "90/GRPC", "5432/TCP"],
);

/** `effect reason [rules] | shadow [shadow rules]` */
function answer(documents: readonly PlacedDocument[], change: Partial<Request> = {}, invalid: string[] = []): string {
  const verdict = judge(documents, invalid, request(change), NOW);
  return `${verdict.effect} ${verdict.reason} [${verdict.rules}] | ${verdict.shadow} [${verdict.shadowRules}]`;
}

const refusal = (reason: string) => `deny ${reason} [] | deny []`;
const allowed = (rule: string) => `allow allowed-by-rule [${rule}] | allow [${rule}]`;
const denied = (rule: string) => `deny denied-by-rule [${rule}] | deny [${rule}]`;
const none = refusal("no-matching-rule");

/** A root policy `p` with one allow `a`, for one target. */
const allowing = (to: RuleTarget, more = {}) => [
  gateway(),
  VENDOR,
  policy("", "p", [{ name: "a", from: CART, to: [to], ...more }]),
];
/** The same with a deny `d` beside a plain allow `a`. */
const denying = (to: RuleTarget) => [
  gateway(),
  VENDOR,
  policy("", "p", [
    { name: "a", from: CART, to: [{ service: "vendor" }] },
    { name: "d", effect: "deny", from: CART, to: [to] },
  ]),
];
const OPEN = allowing({ service: "vendor" });

describe("§1 documents and scope", () => {
  const shopService = service("shop", "own", ["own.example.org"], ["80/HTTP"]);
  const shopPolicy = policy("shop", "p", [{ name: "a", from: [{ namespace: "shop" }], to: [{ service: "own" }] }]);
  test("a namespace's service and policy serve its own workloads", () => {
    expect(answer([gateway(), shopService, shopPolicy], { host: "own.example.org" })).toBe(allowed("shop/p/a"));
    const principal = "spiffe://cluster.local/ns/till/sa/cart";
    expect(answer([gateway(), shopService, shopPolicy], { principal, host: "own.example.org" })).toBe(
      refusal("unregistered-target"),
    );
  });
  test("a global group is intersected with the policy's namespace", () => {
    const everyone = group("", "everyone", [{ trustDomain: "cluster.local" }]);
    const rule = { name: "a", from: [{ group: "everyone" }], to: [{ service: "vendor" }] };
    const set = [gateway(), VENDOR, everyone, policy("shop", "p", [rule])];
    expect(answer(set)).toBe(allowed("shop/p/a"));
    expect(answer(set, { principal: "spiffe://cluster.local/ns/till/sa/cart" })).toBe(none);
    expect(answer(set, { principal: "spiffe://cluster.local/shop" })).toBe(none);
  });
});

describe("§2 identity", () => {
  test.each([
    ["", "no-identity"],
    ["api.example.com", "invalid-identity"],
    ["SPIFFE://cluster.local/ns/shop/sa/cart", "invalid-identity"],
    ["spiffe://cluster.local/ns/shop/sa/cart/", "invalid-identity"],
    ["spiffe://cluster.local/ns/../sa/cart", "invalid-identity"],
    ["spiffe://cluster.local:80/ns/shop/sa/cart", "invalid-identity"],
    ["spiffe://cluster.local/ns/shop/sa/c%61rt", "invalid-identity"],
    [`spiffe://cluster.local/${"a".repeat(2028)}`, "invalid-identity"], // 2,049 bytes
    [`spiffe://${"a".repeat(256)}/x`, "invalid-identity"],
    ["spiffe://elsewhere.example/ns/shop/sa/cart", "foreign-trust-domain"],
    [`spiffe://${"a".repeat(255)}/x`, "foreign-trust-domain"],
  ])("%s is refused: %s", (principal, reason) => {
    expect(answer(OPEN, { principal })).toBe(refusal(reason));
  });
  test("an alias means the same workload, a partner's twin does not", () => {
    const domains = gateway({
      trustDomains: ["mesh.example", "old.example"],
      federatedTrustDomains: ["partner.example"],
    });
    const set = [domains, ...OPEN.slice(1)];
    expect(answer(set, { principal: "spiffe://old.example/ns/shop/sa/cart" })).toBe(allowed("p/a"));
    expect(judge(set, [], request({ principal: "spiffe://old.example/x" }), NOW).subject).toBe(
      "spiffe://mesh.example/x",
    );
    expect(answer(set, { principal: "spiffe://partner.example/ns/shop/sa/cart" })).toBe(none);
  });
  test("a trailing /* is one or more segments", () => {
    const from = [{ spiffe: "spiffe://cluster.local/batch/*" }];
    const set = [gateway(), VENDOR, policy("", "p", [{ name: "a", from, to: [{ service: "vendor" }] }])];
    expect(answer(set, { principal: "spiffe://cluster.local/batch/x/y" })).toBe(allowed("p/a"));
    expect(answer(set, { principal: "spiffe://cluster.local/batch" })).toBe(none);
    expect(answer(set, { principal: "spiffe://cluster.local/batches/x" })).toBe(none);
  });
  test("a refused namespace comes before its target", () => {
    expect(answer(OPEN, { host: ".." }, ["shop"])).toBe(refusal("namespace-invalid"));
    expect(answer(OPEN, { principal: "spiffe://cluster.local/ns/shop/sa/cart/x" }, ["shop"])).toBe(none);
  });
});

describe("§3 target", () => {
  test.each(["API.Example.Com", "api.example.com.", "api.example.com:80", "x.api.example.com", "a_b.x.example.com"])(
    "%s is allowed",
    (host) => expect(answer(OPEN, { host })).toBe(allowed("p/a")),
  );
  test.each([
    ...[
      "",
      ".",
      "api..example.com",
      "api.example.com..",
      "api.example.com:",
      "api.example.com:080",
      "api.example.com:443",
    ],
    ...[
      "u@api.example.com",
      "api%2eexample.com",
      "api.exam_ple.com",
      "-a.example.com",
      "a-.example.com",
      "\u212Aa.example.com",
    ],
    ...[
      "2130706433",
      "0x7f.1",
      "127.1",
      "127.0.0.01",
      "a.0x",
      "::1",
      "[::1%25lo]",
      "[::1].",
      "[1::2::3]",
      "[::1",
      "1.2.3.4.5",
    ],
    ...[
      `${"a".repeat(64)}.example.com`,
      `${"a.".repeat(122)}example.com`,
      "api.example.com:80:80",
      "[1:2:3:4:5:6:7::8:9]",
    ],
  ])("%s is an invalid target", (host) => {
    expect(answer(OPEN, { host })).toBe(refusal("invalid-target"));
  });
  test.each([
    ...[
      "127.0.0.1",
      "[::1]",
      "[2001:DB8::1]:80",
      "localhost",
      "x.localhost",
      "intranet",
      "web.shop.svc",
      "x.cluster.local",
    ],
    ...["metadata.google.internal", "x.metadata.goog", "8.8.8.8", "8.8.8.8."],
  ])("%s is guarded", (host) => {
    expect(answer(OPEN, { host })).toBe(refusal("guarded-target"));
  });
  test("an internal root service lifts the guard, whatever the spelling of the address", () => {
    const internal = service("", "vault", ["[2001:db8::1:0:0:1]", "wiki.corp.svc"], ["80/HTTP"], { internal: true });
    const set = [gateway(), internal, policy("", "p", [{ name: "a", from: CART, to: [{ service: "vault" }] }])];
    // RFC 5952 §4.2.3: the first of two equally long runs of zeros is the one that is shortened.
    expect(answer(set, { host: "[2001:0DB8:0:0:1:0:0.0.0.1]" })).toBe(allowed("p/a"));
    expect(answer(set, { host: "[2001:0DB8:0:0:1:0:0.0.0.1:0]" })).toBe(refusal("invalid-target"));
    expect(answer(set, { host: "[2001:0DB8:0:0:1:0:0:1]" })).toBe(allowed("p/a"));
    expect(answer(set, { host: "[2001:db8:0:0:1::0.0.0.1]" })).toBe(allowed("p/a"));
    expect(answer(set, { host: "wiki.corp.svc" })).toBe(allowed("p/a"));
    expect(answer(set, { host: "wiki.corp.svc", method: "CONNECT" })).toBe(refusal("upgrade-not-allowed"));
    expect(answer(set, { host: "wiki.corp.svc", port: "81" })).toBe(refusal("unregistered-target"));
  });
  test("the named port counts; a host header must agree", () => {
    expect(answer(OPEN, { port: "080" })).toBe(refusal("invalid-target"));
    expect(answer(OPEN, { port: "443", host: "api.example.com:80" })).toBe(refusal("invalid-target"));
    expect(answer(OPEN, { port: null })).toBe(allowed("p/a"));
    expect(answer(OPEN, { headers: [["host", "API.example.com.:80"]] })).toBe(allowed("p/a"));
    expect(answer(OPEN, { headers: [["host", "b.example.com"]] })).toBe(refusal("invalid-target"));
    const explicit = { port: null, host: "api.example.com:90" };
    expect(answer(OPEN, { ...explicit, headers: [["host", "api.example.com"]] })).toBe(refusal("invalid-target"));
  });
  test("SNI takes no port and means 443; TCP must name its port", () => {
    expect(answer(OPEN, { kind: "tls", port: null })).toBe(allowed("p/a"));
    expect(answer(OPEN, { kind: "tls", port: null, host: "api.example.com:443" })).toBe(refusal("invalid-target"));
    expect(answer(OPEN, { kind: "tcp", port: "5432" })).toBe(allowed("p/a"));
    expect(answer(OPEN, { kind: "tcp", port: null })).toBe(refusal("invalid-target"));
  });
  test("protocols must fit, and gRPC asks for its content type", () => {
    expect(answer(OPEN, { port: "443" })).toBe(refusal("unregistered-target"));
    expect(answer(OPEN, { kind: "tls", port: "80" })).toBe(refusal("unregistered-target"));
    expect(answer(OPEN, { port: "90" })).toBe(refusal("unregistered-target"));
    expect(answer(OPEN, { port: "90", headers: [["content-type", "application/grpc+proto"]] })).toBe(allowed("p/a"));
    expect(answer(OPEN, { port: "90", headers: [["content-type", "Application/grpc"]] })).toBe(
      refusal("unregistered-target"),
    );
  });
  test("the owner binds allows; root denies look through namespace services", () => {
    const narrow = service("shop", "narrow", ["x.example.com"], ["80/HTTP"]);
    const rules = [{ name: "d", effect: "deny" as const, to: [{ service: "vendor", paths: ["/no"] }] }];
    const set = [...allowing({ hosts: ["*.example.com"] }), narrow, policy("", "q", rules)];
    expect(answer(set, { host: "y.example.com" })).toBe(allowed("p/a"));
    expect(answer(set, { host: "x.example.com" })).toBe(none);
    expect(answer(set, { host: "x.example.com", path: "/no" })).toBe(denied("q/d"));
    expect(answer(set, { host: "api.example.com" })).toBe(none); // owned through its exact pattern, which covers no wildcard
  });
  test("deny by hosts matches by text", () => {
    const set = [...OPEN, policy("", "q", [{ name: "d", effect: "deny", to: [{ hosts: ["*.api.example.com"] }] }])];
    expect(answer(set, { host: "x.api.example.com" })).toBe(denied("q/d"));
    expect(answer(set)).toBe(allowed("p/a"));
  });
});

describe("§4 conditions", () => {
  const at = (paths: string[], path: string) =>
    answer(allowing({ service: "vendor", paths }), { path }) === allowed("p/a");
  test.each([
    ["/a", "/a", true],
    ["/a", "/a?x", true],
    ["/a", "/%61", true],
    ["/a", "/a/", false],
    ["/a/{*}", "/a/b", true],
    ["/a/{*}", "/a/", false],
    ["/a/{*}/c", "/a/b/c", true],
    ["/a/{**}", "/a/", true],
    ["/a/{**}", "/a/b/c", true],
    ["/a/{**}", "/a", false],
    ["/a*", "/ab/c", true],
    ["/é", "/%C3%A9", true],
    ["/x;y", "/x%3By", true],
    ["*", "/a//../;", true],
    ["/*", "*", false],
  ])("path %s against %s: %s", (pattern, path, matches) => {
    expect(at([pattern], path)).toBe(matches);
  });
  test.each([
    ...[
      "/a//b",
      "/a/./b",
      "/a/%2e%2E/b",
      "/a/..",
      "/%2F",
      "/%5c",
      "/%2525",
      "/%00",
      "/%0a",
      "/%7F",
      "/\u007f",
      "/%",
      "/%4",
      "/%zz",
    ],
    ...["/%ff", "/%c0%af", "/a;b", "/a\\b", "/a#b", "", "?x", "a", "http://api.example.com/a", `/${"a".repeat(8192)}`],
  ])("path %j is in doubt", (path) => {
    expect(answer(allowing({ service: "vendor", paths: ["/*"] }), { path })).toBe(none);
    expect(answer(denying({ service: "vendor", paths: ["/other"] }), { path })).toBe(denied("p/d"));
  });
  test("OPTIONS * matches no path condition, not even a deny's", () => {
    expect(answer(denying({ service: "vendor", paths: ["/*"] }), { path: "*" })).toBe(allowed("p/a"));
    expect(answer(denying({ service: "vendor", paths: ["*"] }), { path: "*" })).toBe(denied("p/d"));
  });
  const headers = { "x-team": ["a"], "x-env": ["prod"] };
  test.each([
    [
      [
        ["x-team", "a"],
        ["x-env", "prod"],
      ],
      "allow",
      "deny",
    ],
    [[["x-team", "a"]], "deny", "allow"],
    [
      [
        ["x-team", "b"],
        ["x-env", "a,b"],
      ],
      "deny",
      "allow",
    ],
    [
      [
        ["x-team", "a"],
        ["x-env", "a,b"],
      ],
      "deny",
      "deny",
    ],
    [
      [
        ["x-team", "a"],
        ["x-team", "a"],
        ["x-env", "prod"],
      ],
      "deny",
      "deny",
    ],
    [
      [
        ["x-team", Uint8Array.of(0xff)],
        ["x-env", "prod"],
      ],
      "deny",
      "deny",
    ],
  ] as [[string, string | Uint8Array][], string, string][])(
    "headers %j: allow rule %s, deny rule %s",
    (pairs, allow, deny) => {
      const effect = (set: PlacedDocument[]) => judge(set, [], request({ headers: pairs }), NOW).effect;
      expect(effect(allowing({ service: "vendor", headers }))).toBe(allow);
      expect(effect(denying({ service: "vendor", headers }))).toBe(deny);
    },
  );
  test("on TLS and TCP such conditions are in doubt", () => {
    expect(answer(allowing({ service: "vendor", methods: ["GET"] }), { kind: "tls", port: "443" })).toBe(none);
    expect(answer(denying({ service: "vendor", methods: ["PUT"] }), { kind: "tls", port: "443" })).toBe(denied("p/d"));
  });
  test("upgrades", () => {
    const chat = allowing({ service: "vendor", paths: ["/ws"] }, { upgrades: ["websocket"] });
    expect(answer(chat, { path: "/ws", headers: upgrading("WebSocket ") })).toBe(allowed("p/a"));
    expect(answer(chat, { path: "/ws" })).toBe(allowed("p/a"));
    expect(answer(chat, { path: "/ws", headers: upgrading("h2c") })).toBe(refusal("upgrade-not-allowed"));
    expect(answer(chat, { path: "/ws", headers: upgrading("websocket, h2c") })).toBe(refusal("upgrade-not-allowed"));
    expect(answer(chat, { path: "/ws", headers: [["upgrade", "h2c"]] })).toBe(allowed("p/a"));
    expect(answer(chat, { path: "/no", headers: upgrading("websocket") })).toBe(none);
    const pairs: [string, string][] = [
      ["connection", "close"],
      ["connection", "x, UPGRADE"],
      ["upgrade", "h2c"],
    ];
    expect(answer(chat, { path: "/ws", headers: pairs })).toBe(refusal("upgrade-not-allowed"));
  });
});

describe("§5 outcome", () => {
  const to = [{ service: "vendor" }];
  const windowed = (notBefore: string, expires: string, mode?: string) => [
    gateway(),
    VENDOR,
    policy("", "p", [{ name: "a", from: CART, to, notBefore, expires }], mode),
  ];
  test("windows: from notBefore on, no longer at expires", () => {
    const now = new Date(NOW).toISOString();
    expect(answer(windowed(now, "2027-01-01T00:00:00+01:00"))).toBe(allowed("p/a"));
    expect(answer(windowed("2026-01-01T00:00:00Z", now))).toBe("deny rule-expired [p/a] | deny [p/a]");
    expect(answer(windowed("2026-01-01T00:00:00Z", now, "report"))).toBe("deny no-matching-rule [] | deny [p/a]");
    expect(judge(windowed(now, "2027-01-01T00:00:00+01:00"), [], request({ path: "//" }), NOW).validUntil).toBe(
      Date.parse("2026-12-31T23:00:00Z"),
    );
    expect(judge(windowed("2026-01-01T00:00:00Z", now), [], request(), NOW).validUntil).toBe(null);
  });
  test("an expired allow without the upgrade is no rule-expired", () => {
    const set = windowed("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z");
    expect(answer(set, { headers: upgrading("websocket") })).toBe(none);
  });
  test("the strictest group fallback wins, then the gateway's; none lets an upgrade pass", () => {
    const wide = group("", "wide", [{ namespace: "shop" }], "allow");
    const flagged = group("", "flagged", CART, "report");
    const set = [gateway({ fallback: "allow" }), VENDOR, wide];
    expect(answer(set)).toBe("allow fallback-allow [] | deny []");
    expect(answer([...set, flagged])).toBe("allow fallback-report [] | deny []");
    expect(answer([...set, group("", "strict", CART, "deny"), flagged])).toBe(none);
    expect(answer(set, { headers: upgrading("h2c") })).toBe(refusal("upgrade-not-allowed"));
  });
  test("report mode shows in the shadow only", () => {
    const rule = { name: "d", effect: "deny" as const, from: CART };
    expect(answer([...OPEN, policy("", "r", [rule], "report")])).toBe("allow allowed-by-rule [p/a] | deny [r/d]");
    const staged = policy("", "r", [{ name: "b", from: CART, to }], "report");
    expect(answer([gateway(), VENDOR, staged])).toBe("deny no-matching-rule [] | allow [r/b]");
    expect(answer([...OPEN, staged])).toBe("allow allowed-by-rule [p/a] | allow [p/a,r/b]");
  });
  test("AllowAny goes on without an owner and stays open in the shadow", () => {
    const set = [gateway({ securityModel: "AllowAny" }), VENDOR];
    expect(answer(set, { host: "x.example.net" })).toBe("allow fallback-report [] | allow []");
    expect(answer(set, { host: "10.0.0.1" })).toBe(refusal("guarded-target"));
    const jail = policy("", "p", [{ name: "d", effect: "deny" }]);
    expect(answer([...set, jail], { host: "x.example.net" })).toBe(denied("p/d"));
    expect(answer([gateway({ securityModel: "AllowAny", fallback: "deny" })], { host: "x.example.net" })).toBe(none);
  });
  test("dependencies are those of the rules whose identity, host and port match", () => {
    const rules = [
      {
        name: "a",
        from: CART,
        to: [
          { service: "vendor", ports: [90], methods: ["GET"] },
          { service: "vendor", paths: ["*"] },
        ],
      },
      { name: "b", from: CART, to: [{ hosts: ["api.example.com"], headers: { "x-b": ["1"], "x-a": ["1"] } }] },
      { name: "c", from: [{ namespace: "till" }], to: [{ service: "vendor", paths: ["/x"] }] },
    ];
    const set = [gateway(), VENDOR, policy("", "p", rules, "report")];
    const mask = (change: Partial<Request>) => judge(set, [], request(change), NOW).dependsOn;
    expect(mask({})).toEqual({ method: false, path: false, contentType: false, headers: ["x-a", "x-b"] });
    expect(mask({ port: "90" })).toEqual({ method: false, path: false, contentType: true, headers: [] });
    const grpc = { port: "90", headers: [["content-type", "application/grpc"] as const] };
    expect(mask(grpc)).toEqual({ method: true, path: false, contentType: true, headers: ["x-a", "x-b"] });
  });
});
