import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  gatewayText,
  groupText,
  policyText,
  rootPolicyText,
  ruleText,
  serviceText,
  testText,
} from "../../src/policy/codes/code-entry.ts";
import { loadIsolated } from "../../src/policy/isolate.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import { createParseCache } from "../../src/policy/parse-cache.ts";
import { canon, places, policyFiles, policyOf, serviceOf } from "./policy-files.ts";

function load(texts: Readonly<Record<string, string>>) {
  const result = loadPolicySet(policyFiles(texts), canon);
  return { ...result, codes: result.diagnostics.map(({ code }) => code) };
}

/** The one diagnostic of one allow of `payments/checkout`. */
function finding(lines: string) {
  const { diagnostics } = load({
    "rule.yaml": ruleText(lines).replace("{name: checkout}", "{name: checkout, namespace: payments}"),
  });
  expect(diagnostics).toHaveLength(1);
  return { code: diagnostics[0]?.code, message: diagnostics[0]?.message, fix: diagnostics[0]?.fix };
}

describe("where a document lies decides whose it is", () => {
  it("fills in the namespace of a directory, however deep", () => {
    const { set } = load({ "payments/a/b/pay.yaml": policyOf("pay", "payments", "stripe") });
    expect(set?.policies).toMatchObject([{ scope: "payments", name: "pay" }]);
  });

  it("lets files at the top name any namespace, and no other file", () => {
    const text = policyText(
      "- {name: a, from: [{namespace: ml}], to: [{service: stripe}]}",
      "{name: a, namespace: ml}",
    );
    expect(load({ "top.yaml": text }).set?.policies).toMatchObject([{ scope: "ml" }]);
    expect(load({ "ml/a.yaml": text }).set?.policies).toMatchObject([{ scope: "ml" }]);
    expect(load({ "payments/a.yaml": text }).codes).toEqual(["namespace-mismatch"]);
  });

  it("makes nobody the root by saying so", () => {
    const deny = rootPolicyText("- {name: a, effect: deny, reason: all, from: [{namespace: ml}]}");
    expect(load({ "company.yaml": deny }).set?.policies).toMatchObject([{ scope: "" }]);
    expect(load({ "payments/company.yaml": deny }).codes).toEqual(["namespace-mismatch"]);
  });

  it("keeps a directory's name to what a namespace may be called", () => {
    for (const place of ["Payments", "pay_ments", "a.b", "-a", "a".repeat(64), "__proto__", "a\nb"]) {
      const { codes, set } = load({ [`${place}/a.yaml`]: serviceOf("own", "own.example.com") });
      expect([place, codes, set]).toEqual([place, ["invalid-name"], null]);
    }
  });

  it("shows a namespace's services and groups to that namespace only", () => {
    const own = serviceOf("models", "models.example.com");
    const group = groupText("team", "members: [{namespace: ml}]");
    const texts = { "ml/models.yaml": `${own}---\n${group}` };
    expect(load({ ...texts, "ml/learn.yaml": policyOf("learn", "ml", "models") }).codes).toEqual([]);
    expect(load({ ...texts, "payments/p.yaml": policyOf("p", "payments", "models") }).codes).toEqual([
      "unknown-service",
    ]);
    const byGroup = rootPolicyText("- {name: a, from: [{group: team}], to: [{service: stripe}]}");
    expect(load({ ...texts, "root.yaml": byGroup }).codes).toEqual(["unknown-group"]);
  });

  it.each([
    ["mirror", "mirror: {service: stripe, percent: 1}"],
    ["split", "split: [{service: stripe, weight: 100}]"],
    ["addresses", "addresses: [192.0.2.0/24]"],
    ["internal", "internal: true"],
    ["no TLS", "tls: {originate: none}"],
    ["a client certificate", "tls: {credentialName: cert}"],
    ["its own authorities", "tls: {caCertificates: cas}"],
    ["another's certificate", "tls: {subjectAltNames: [other.example.com]}"],
  ])("leaves to the root: %s", (_what, line) => {
    const text = serviceText("own", `hosts: [own.example.com]\nports: [{number: 80, protocol: HTTP}]\n${line}`);
    expect(load({ "root.yaml": text }).codes).toEqual([]);
    expect(load({ "payments/own.yaml": text }).codes).toEqual(["root-only"]);
  });

  it("leaves to the root: a group's fallback", () => {
    const text = groupText("own", "members: [{namespace: payments}]\nfallback: allow");
    expect(load({ "root.yaml": text }).codes).toEqual([]);
    expect(load({ "payments/own.yaml": text }).codes).toEqual(["root-only"]);
  });

  it("keeps a namespace to its own workloads", () => {
    const reach = (from: string) =>
      load({ "payments/a.yaml": policyText(`- {name: a, from: [${from}], to: [{service: stripe}]}`) }).codes;
    expect(reach("{namespace: payments}")).toEqual([]);
    expect(reach("{spiffe: spiffe://cluster.local/ns/payments/sa/*}")).toEqual([]);
    for (const from of [
      "{namespace: payment}",
      "{serviceAccount: payments-2/app}",
      "{trustDomain: cluster.local}",
      "{trustDomain: partner.example}",
      "{spiffe: spiffe://cluster.local/ns/payments/*}",
      "{spiffe: spiffe://cluster.local/ns/payments/sa-2/*}",
      "{spiffe: spiffe://partner.example/ns/payments/sa/app}",
    ]) {
      expect([from, reach(from)]).toEqual([from, ["outside-namespace"]]);
    }
  });
});

describe("one owner of a host and port", () => {
  it("refuses the second claim where it stands: the namespace's, the later file's", () => {
    const claim = serviceOf("own", "api.stripe.com");
    const { codes, diagnostics } = load({ "payments/own.yaml": claim });
    expect(codes).toEqual(["host-claimed-twice"]);
    expect(diagnostics[0]).toMatchObject({ scope: "payments", at: { file: "payments/own.yaml", line: 4 } });
    expect(
      load({ "ml/a.yaml": serviceOf("a", "x.example.com"), "payments/b.yaml": serviceOf("b", "x.example.com") })
        .diagnostics,
    ).toMatchObject([{ code: "host-claimed-twice", scope: "payments" }]);
  });

  it("lets another port of the host, and a wildcard over it, belong to someone else", () => {
    expect(load({ "payments/own.yaml": serviceOf("own", "api.stripe.com", 8443) }).codes).toEqual([]);
    expect(load({ "payments/own.yaml": serviceOf("own", "*.stripe.com") }).codes).toEqual([]);
  });
});

describe("the cluster domain", () => {
  it("is a name in its canonical spelling: on it hangs which names are guarded", () => {
    const found = (domain: string) => load({ "gateway.yaml": gatewayText(`clusterDomain: "${domain}"`) }).diagnostics;
    for (const domain of ["cluster.local", "corp.internal", "k8s"])
      expect([domain, found(domain)]).toEqual([domain, []]);
    for (const [domain, fix] of [
      ["Corp.Internal", "corp.internal"],
      ["cluster.local.", "cluster.local"],
      ["cluster.local:80", "cluster.local"],
      ["10.0.0.1", null],
      [".cluster.local", null],
      ["*.cluster.local", null],
      ["bücher.example", null],
    ]) {
      expect([domain, found(domain ?? "")]).toMatchObject([domain, [{ code: "invalid-host", scope: "", fix }]]);
    }
  });
});

describe("what is said about a mistake", () => {
  it("is everything at once, in the order of files, lines and columns", () => {
    const { diagnostics, set } = load({
      "z.yaml": "kind: [",
      "b/two.yaml": policyOf("two", "b", "strype").replace("owner:", "ownre:"),
      "a/one.yaml": policyText(
        "- {name: A, from: [{namespace: c}], to: [{service: none}, {hosts: [a.b]}]}\n- {name: x, to: [{service: stripe}]}",
      ),
    });
    expect(set).toBeNull();
    expect(places(diagnostics)).toEqual([
      "invalid-name a/one.yaml:7:12",
      "outside-namespace a/one.yaml:7:22",
      "unknown-service a/one.yaml:7:54",
      "host-not-registered a/one.yaml:7:70",
      "missing-key a/one.yaml:8:5",
      "missing-key b/two.yaml:5:3",
      "unknown-key b/two.yaml:5:3",
      "yaml-syntax z.yaml:1:8",
    ]);
  });

  it("does not depend on the order of the files", () => {
    const files = policyFiles({
      "b/two.yaml": serviceOf("x", "x.example.com"),
      "a/one.yaml": serviceOf("x", "x.example.com"),
      "z.yaml": "[",
    });
    expect(loadPolicySet(files.toReversed(), canon)).toEqual(loadPolicySet(files, canon));
  });

  it.each([
    ["to: [{service: strip}]", "unknown-service", "stripe"],
    ["to: [{servce: stripe}]", "unknown-key", "service"],
    ["effect: alow\nto: [{service: stripe}]", "unknown-value", "allow"],
    ["to: [{service: stripe, ports: [80], methods: [get]}]", "invalid-method", "GET"],
    ["to: [{service: stripe, ports: [80], headers: {X-Team: [a]}}]", "invalid-header", "x-team"],
    ["to: [{service: stripe, ports: [80], paths: [v1]}]", "invalid-path", "/v1"],
    ["to: [{service: stripe, ports: [80], paths: [/a//b]}]", "invalid-path", "/a/b"],
    ["to: [{service: stripe, ports: [80], paths: [/a%20b]}]", "invalid-path", "/a b"],
    ["to: [{hosts: [API.Stripe.com.]}]", "invalid-host", "api.stripe.com"],
    ["to: [{hosts: ['api.stripe.com:443']}]", "invalid-host", "api.stripe.com"],
    ["to: [{hosts: [*.stripe.com]}]", "yaml-alias", '"*.stripe.com"'],
    ["to: [{service: stripe}]\nexpires: 2027-03-31", "invalid-instant", "2027-03-31T00:00:00Z"],
    ["to: [{service: stripe, ports: [80]}]\nupgrades: [WebSocket]", "invalid-upgrade", "websocket"],
  ])("%s: what was probably meant", (lines, code, fix) => {
    expect(finding(lines)).toMatchObject({ code, fix });
  });

  it("tells of what is wrong at each of its places, and takes no wrong list for one that is right", () => {
    const rules = [
      "methods: [get, POST]",
      "methods: [get, POST]",
      "methods: [GET, POST]",
      'methods: ["GET\\nPOST"]',
      'methods: ["[\\"GET\\",\\"POST\\"]"]',
      "paths: [v1]",
      "paths: [v1]",
      "paths: [/v1]",
    ].map(
      (each, at) => `  - {name: r${at}, from: [{namespace: payments}], to: [{service: stripe, ports: [80], ${each}}]}`,
    );
    const text = `apiVersion: sallyport.dev/v1alpha1
kind: EgressPolicy
metadata: {name: p}
spec:
  owner: o@example.com
  rules:
${rules.join("\n")}
`;
    const { diagnostics } = load({ "payments/p.yaml": text });
    expect(diagnostics.map(({ at, code }) => [at.line, code])).toEqual([
      [7, "invalid-method"],
      [8, "invalid-method"],
      [10, "invalid-method"],
      [11, "invalid-method"],
      [12, "invalid-path"],
      [13, "invalid-path"],
    ]);
  });

  it("reads a host in any language as Envoy will see it", () => {
    expect(finding("to: [{hosts: [bücher.example]}]").fix).toBe("xn--bcher-kva.example");
  });

  it("is one line that a terminal can be shown, whatever the file holds", () => {
    const odd = '"\\e[2J\\n\\u202e\\u2028"';
    const { diagnostics } = load({
      "a.yaml": serviceText("a", `hosts: [${odd}]\nports: [{number: 80, protocol: ${odd}}]`),
      "b.yaml": serviceText(odd, `hosts: [${odd}]\nports: [{number: 80, protocol: TLS}]`),
      "c.yaml": serviceText("c", `hosts: [${odd}]\nports: [{number: 80, protocol: TLS}]\n${odd}: 1`),
      "d.yaml": serviceText("d", `hosts: [${odd}]\nports: [{number: 80, protocol: TLS}]\naddresses: [${odd}]`),
    });
    expect(diagnostics.map(({ code }) => code).sort()).toEqual(
      ["invalid-address", "invalid-host", "invalid-name", "unknown-key", "unknown-value"].sort(),
    );
    for (const { message, fix, excerpt } of diagnostics) {
      expect(`${message}${fix}${excerpt?.replace("\n", "")}`).toMatch(
        /^[^\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]*$/u,
      );
    }
  });
});

describe("tests beside the policies", () => {
  it("are read, and never part of the set", () => {
    const cases = "- {name: a, from: payments/app, to: TLS api.stripe.com, expect: deny}";
    const { tests, set } = load({ "payments/pay.test.yaml": testText(cases) });
    expect(tests).toMatchObject([
      { scope: "payments", name: "payments", cases: [{ name: "a", expect: { effect: "deny" } }] },
    ]);
    expect(set).toEqual(load({}).set);
  });
});

describe("any bytes at all", () => {
  const word = fc.constantFrom(
    ..."apiVersion: |sallyport.dev/v1alpha1|kind: |EgressPolicy|EgressGateway|DecisionTest|metadata: |spec: |{|}|[|]|- |\n|\n  |, |: |name: |*a|&a |!!x |%YAML|---\n|...\n|'|\"|\\u0000|constructor: |__proto__: |null|~|1e9|? |#|\t".split(
      "|",
    ),
    "|",
    "\ufeff",
  );
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.array(word, { maxLength: 40 }).map((words) => Buffer.from(words.join(""))),
  );
  const path = fc.constantFrom(
    "a.yaml",
    "gateway.yaml",
    "payments/a.yaml",
    "constructor/a.yaml",
    "payments/a.test.yaml",
  );

  it("never throw, and are refused with a place and a reason", () => {
    fc.assert(
      fc.property(path, bytes, (at, content) => {
        const files = [...policyFiles({}).filter((file) => file.path !== at), { path: at, bytes: content }];
        const { set, diagnostics } = loadPolicySet(files, canon);
        expect(set === null).toBe(diagnostics.some(({ severity }) => severity === "error"));
        for (const each of diagnostics) {
          expect(each.at.line).toBeGreaterThan(0);
          expect(each.message).not.toBe("");
        }
        const isolated = loadIsolated(files, canon, null);
        if (at.includes("/")) expect(isolated.set).not.toBeNull();
      }),
      { numRuns: 300 },
    );
  });

  it("nested beyond measure do not exhaust the stack", () => {
    for (const open of ["[", "{a: ", "- ", "? "]) {
      for (const depth of [40, 300, 20_000]) {
        expect([open, depth, load({ "deep.yaml": open.repeat(depth) }).set]).toEqual([open, depth, null]);
      }
    }
  });
});

describe("the parse cache", () => {
  it("hands out what it read before where path and bytes are the same, for the next load", () => {
    const cache = createParseCache();
    const [first, other] = policyFiles({});
    if (first === undefined || other === undefined) throw new Error("two files");
    const parsed = cache.read(first);
    cache.read(other);
    cache.sweep();
    expect(cache.read({ path: first.path, bytes: Buffer.from(first.bytes) })).toBe(parsed);
    expect(cache.read({ ...first, path: "moved.yaml" })).not.toBe(parsed);
    expect(cache.read({ ...first, bytes: Buffer.concat([first.bytes, Buffer.from("\n")]) })).not.toBe(parsed);
    cache.sweep();
    expect(cache.read(first)).toBe(parsed);
  });

  it("forgets what two loads did not read", () => {
    const cache = createParseCache();
    const [first] = policyFiles({});
    if (first === undefined) throw new Error("a file");
    const parsed = cache.read(first);
    cache.sweep();
    cache.sweep();
    expect(cache.read(first)).not.toBe(parsed);
  });

  it("changes nothing about the result", () => {
    const cache = createParseCache();
    const texts = { "a/x.yaml": serviceOf("x", "x.example.com"), "b/x.yaml": serviceOf("x", "x.example.com") };
    const first = loadPolicySet(policyFiles(texts), canon, cache);
    expect(loadPolicySet(policyFiles(texts), canon, cache)).toEqual(first);
    expect(loadPolicySet(policyFiles(texts), canon)).toEqual(first);
  });
});
