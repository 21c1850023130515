import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { importAsm } from "../../../src/import/asm/import.ts";
import { isExact } from "../../../src/import/note.ts";
import { reportOf } from "../../../src/import/report.ts";
import { REPOSITORY, runCli } from "../../cli/run-cli.ts";
import { budgetFor, runProperty } from "../../property/budget.ts";
import { deciderOf, OPTIONS, sourceFile } from "../support/decide.ts";
import { runExample } from "../support/run-example.ts";
import { type AsmRule, judgeAsm } from "./judge.ts";

const HOSTS = ["api.example.com", "www.example.com", "example.org"];
const PORTS = [80, 443, 8080];
const WORKLOADS = [
  { account: "one/web", namespace: "one", labels: { app: "web" } },
  { account: "one/job", namespace: "one", labels: { app: "job" } },
  { account: "two/web", namespace: "two", labels: { app: "web" } },
];
const MAPPING = "- {namespace: one, labels: {app: web}, serviceAccounts: [web]}\n";

const NATURAL: Readonly<Record<number, string>> = { 80: "HTTP", 443: "HTTPS", 8080: "HTTP2" };

/** A rule; `plain` = one that can be carried over exactly. */
const ruleDraft = (plain: boolean): fc.Arbitrary<AsmRule> =>
  fc.record({
    from: fc.array(
      plain
        ? fc.constantFrom(
            { namespace: "one" },
            { namespace: "two" },
            { namespace: "one", workloadSelector: { app: "web" } },
          )
        : fc.constantFrom<AsmRule["from"][number][]>(
            { namespace: "one" },
            { namespace: "one", workloadSelector: { app: "job" } },
            { namespace: "two", workloadSelector: { app: "web" } },
          ),
      { minLength: 1, maxLength: 2 },
    ),
    to: fc.array(
      fc
        .record({
          hosts: fc.uniqueArray(fc.constantFrom(...HOSTS), { minLength: 1, maxLength: 2 }),
          number: fc.constantFrom(...PORTS),
          protocol: fc.constantFrom("HTTP", "HTTP2", "HTTPS", "TLS", "TCP"),
        })
        .map(({ hosts, number, protocol }) => ({
          hosts,
          port: { name: "port", number, protocol: plain ? (NATURAL[number] ?? "") : protocol },
        })),
      { minLength: 1, maxLength: 3 },
    ),
  });

function policyText(rules: readonly unknown[]): string {
  return stringify(
    {
      apiVersion: "istio.alibabacloud.com/v1beta1",
      kind: "ASMEgressTrafficPolicy",
      metadata: { name: "egress-by-gateway", namespace: "istio-egress" },
      spec: { byEgressGateway: { name: "gateway" }, egressRules: rules },
    },
    { aliasDuplicateObjects: false },
  );
}

const rulesDraft = fc.boolean().chain((plain) => fc.array(ruleDraft(plain), { minLength: 1, maxLength: 3 }));
const budget = budgetFor(150);

it("opens what ASM opens, and by the notes alone less", { timeout: budget.timeoutMs }, () => {
  const seen = { decisions: 0, allowed: 0, narrowed: 0, exact: 0 };
  const property = fc.property(rulesDraft, (rules) => {
    const imported = importAsm([sourceFile("a.yaml", policyText(rules))], sourceFile("w.yaml", MAPPING), OPTIONS);
    const ours = deciderOf(imported);
    const exact = imported.ok && isExact(reportOf(imported));
    if (exact) seen.exact += 1;
    for (const workload of WORKLOADS) {
      for (const host of [...HOSTS, "unknown.example.net"]) {
        for (const port of PORTS) {
          for (const kind of ["http", "tls"] as const) {
            const to = kind === "http" ? `GET http://${host}:${port}/` : `TLS ${host}:${port}`;
            const allowed = ours.allows({ from: workload.account, to });
            const theirs = judgeAsm(rules, workload, kind, host, port);
            seen.decisions += 1;
            if (allowed) seen.allowed += 1;
            if (theirs && !allowed) seen.narrowed += 1;
            if (allowed !== theirs && (allowed || exact)) {
              throw new Error(
                `${workload.account} ${to}: ours ${allowed}, theirs ${theirs}\n${policyText(rules)}\n${ours.text}`,
              );
            }
          }
        }
      }
    }
  });
  runProperty(property, budget);
  process.stdout.write(`${JSON.stringify(seen)}\n`);
  expect(seen.allowed).toBeGreaterThan(seen.decisions / 40);
  expect(seen.narrowed).toBeGreaterThan(0);
  expect(seen.exact).toBeGreaterThan(20);
});

describe("import asm", () => {
  const DIRECTORY = join(REPOSITORY, "test/import/asm");
  const ARGS = [
    join(DIRECTORY, "example"),
    "--owner",
    "mesh@example.com",
    "--workloads",
    join(DIRECTORY, "workloads.yaml"),
    "--assume-open",
    "AuthorizationPolicy/istio-egress/no-deletes",
  ];

  it("makes of the example what its golden files say", async () => {
    const out = await runExample("asm", ARGS);
    const check = (from: string, to: string) => runCli(["check", from, to, "--policies", out]);
    expect((await check("shop/checkout", "GET http://api.stripe.com/v1/charges")).code).toBe(0);
    expect((await check("shop/cart", "GET http://api.stripe.com/v1/charges")).code).toBe(2);
  });

  it("teaches its use, and says which directory is not there", async () => {
    const { code, stdout } = await runCli(["import", "asm", "--help"]);
    expect(code).toBe(0);
    for (const each of ["--workloads", "--owner", "Examples:", "Exit codes:"]) expect(stdout).toContain(each);
    expect((await runCli(["import", "asm", "no-such-directory"])).code).toBe(1);
  });

  const problemsOf = (text: string, workloads: string | null = null, owner: string | null = "me"): string => {
    const file = workloads === null ? null : sourceFile("w.yaml", workloads);
    const imported = importAsm([sourceFile("a.yaml", text)], file, { ...OPTIONS, owner });
    return imported.ok
      ? ""
      : imported.problems.map(({ at, message, fix }) => `${at.file}:${at.line} ${message} ${fix}`).join("\n");
  };
  const RULE = {
    from: [{ namespace: "one" }],
    to: [{ hosts: ["a.example.com"], port: { number: 80, protocol: "HTTP" } }],
  };

  it.each([
    [
      "nothing to import",
      "kind: ConfigMap\napiVersion: v1\nmetadata: {name: x}\n",
      "there is no ASMEgressTrafficPolicy",
    ],
    ["an unknown key", policyText([{ ...RULE, when: [] }]), "a.yaml:18 `when` is not a key here"],
    ["a port that is none", policyText([RULE]).replace("80", "99999"), "a.yaml:16"],
    ["an object without a name", "kind: A\napiVersion: v1\n", "`metadata` is missing"],
    ["a template", "spec: {{ .Values.spec }}\n", "a.yaml:1"],
    [
      "an odd list",
      `apiVersion: v1\nkind: List\nitems:\n- ${stringify({ ...RULE, kind: "X", apiVersion: "v1" }, { indent: 2 }).replaceAll("\n", "\n  ")}`,
      "`metadata` is missing",
    ],
  ])("refuses %s, with the place", (_, text, message) => {
    expect(problemsOf(text)).toContain(message);
  });

  it("wants an owner, and mappings that it can read", () => {
    expect(problemsOf(policyText([RULE]), null, null)).toContain("--owner team@example.com");
    expect(problemsOf(policyText([RULE]), "one: two\n")).toContain("w.yaml:1");
    expect(problemsOf(policyText([RULE]), MAPPING + MAPPING)).toContain(
      "w.yaml:2 these labels stand in this file twice",
    );
    expect(problemsOf(policyText([RULE]), MAPPING.replace("[web]", "[a/b]"))).toContain(
      "is not `namespace/serviceaccount`",
    );
  });

  const beside = (group: string, kind: string, namespace: string, spec: string): string =>
    `---\napiVersion: ${group}.istio.io/v1\nkind: ${kind}\nmetadata: {name: other, namespace: ${namespace}}\nspec: ${spec}\n`;

  it.each([
    ["nothing", "", "+++"],
    [
      "an AuthorizationPolicy of the gateway",
      beside("security", "AuthorizationPolicy", "istio-egress", "{action: DENY, rules: [{}]}"),
      "---",
    ],
    [
      "one of perhaps the gateway",
      beside("security", "AuthorizationPolicy", "istio-system", "{selector: {matchLabels: {a: b}}, rules: []}"),
      "---",
    ],
    [
      "one that only tells",
      beside("security", "AuthorizationPolicy", "istio-egress", "{action: AUDIT, rules: [{}]}"),
      "+++",
    ],
    ["one of workloads", beside("security", "AuthorizationPolicy", "one", "{}"), "+++"],
    ["a VirtualService of a host", beside("networking", "VirtualService", "one", "{hosts: [a.example.com]}"), "-+-"],
    ["a VirtualService inside the mesh", beside("networking", "VirtualService", "one", "{hosts: [reviews]}"), "+++"],
    ["a Sidecar", beside("networking", "Sidecar", "one", "{egress: [{hosts: ['./*']}]}"), "--+"],
    [
      "a tunnel",
      beside("networking", "DestinationRule", "one", "{host: '*.example.com', trafficPolicy: {tunnel: {}}}"),
      "-+-",
    ],
    [
      "a RequestAuthentication",
      beside("security", "RequestAuthentication", "istio-egress", "{jwtRules: [{issuer: a}]}"),
      "---",
    ],
    ["an EnvoyFilter of a namespace", beside("networking", "EnvoyFilter", "two", "{configPatches: [{}]}"), "++-"],
  ])("opens nothing that an object beside may refuse: %s", (_, text, expected) => {
    const to = ["a.example.com", "b.example.org"].map((host) => ({
      hosts: [host],
      port: { number: 80, protocol: "HTTP" },
    }));
    const source = policyText([{ from: [{ namespace: "one" }, { namespace: "two" }], to }]);
    const ours = deciderOf(importAsm([sourceFile("a.yaml", source + text)], null, OPTIONS));
    const asked = [
      ["one/web", "a.example.com"],
      ["one/web", "b.example.org"],
      ["two/web", "a.example.com"],
    ] as const;
    expect(asked.map(([from, host]) => (ours.allows({ from, to: `GET http://${host}/` }) ? "+" : "-")).join("")).toBe(
      expected,
    );
  });
});
