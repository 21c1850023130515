import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { importNetworkPolicy } from "../../../src/import/network-policy/import.ts";
import { IMPORT_CODES } from "../../../src/import/note.ts";
import { reportOf } from "../../../src/import/report.ts";
import { budgetFor, runProperty } from "../../property/budget.ts";
import { deciderOf, OPTIONS, sourceFile } from "../support/decide.ts";
import {
  type Answer,
  type CalicoPolicy,
  type CiliumPolicy,
  type Dial,
  type GkePolicy,
  judgeCalico,
  judgeCilium,
  judgeGke,
  type Pod,
} from "./judge.ts";

const HOSTS = [
  "api.example.com",
  "www.example.com",
  "deep.api.example.com",
  "example.com",
  "api.example.org",
  "unknown.example.net",
];
const PORTS = [80, 443, 8443];
const PODS: readonly Pod[] = [
  { namespace: "one", account: "web", labels: { app: "web" } },
  { namespace: "one", account: "job", labels: { app: "job" } },
  { namespace: "two", account: "web", labels: { app: "web" } },
];
/** The pods with `app: web` in `one` have that account, and no others. */
const WORKLOADS = "- {namespace: one, labels: {app: web}, serviceAccounts: [web]}\n";
const OURS = { ...OPTIONS, ports: [...OPTIONS.ports, { number: 8443, protocol: "TLS" as const }] };

const budget = budgetFor(60);
const namespace = fc.constantFrom("one", "one", "two");
const name = fc.constantFrom("api.example.com", "www.example.com", "api.example.org");
/** Cilium reads names in any case, and with a trailing dot. */
const spelled = fc.oneof(name, fc.constant("API.example.com."));
const pattern = fc.constantFrom("*.example.com", "**.example.com", "a*.example.com", "*", "api.*.org", "*.com");
const some = <T>(each: fc.Arbitrary<T>, maxLength = 2): fc.Arbitrary<T[]> =>
  fc.array(each, { minLength: 1, maxLength });

function object(
  apiVersion: string,
  kind: string,
  index: number,
  { namespace, ...spec }: { readonly namespace: string },
): string {
  return stringify(
    { apiVersion, kind, metadata: { name: `policy-${index}`, namespace }, spec },
    { aliasDuplicateObjects: false },
  );
}

/** Holds ours against theirs on all pods, hosts and ports. */
function compare<P extends { readonly namespace: string }>(
  what: readonly [apiVersion: string, kind: string],
  policies: fc.Arbitrary<readonly P[]>,
  judge: (policies: readonly P[], pod: Pod, dial: Dial) => Answer,
): void {
  const seen = { decisions: 0, allowed: 0, narrowed: 0, exact: 0 };
  const property = fc.property(policies, (drawn) => {
    const text = drawn.map((each, i) => object(...what, i, each)).join("---\n");
    const imported = importNetworkPolicy([sourceFile("p.yaml", text)], sourceFile("w.yaml", WORKLOADS), OURS);
    const ours = deciderOf(imported);
    const notes = imported.ok ? reportOf(imported) : [];
    // All ports that are asked for are opened with `--port`.
    const exact = notes.every(({ code }) => code === "any-port" || IMPORT_CODES[code].effect === "dropped");
    if (exact) seen.exact += 1;
    for (const pod of PODS) {
      for (const host of HOSTS) {
        for (const port of PORTS) {
          const to = port === 80 ? `GET http://${host}/` : `TLS ${host}:${port}`;
          const allowed = ours.allows({ from: `${pod.namespace}/${pod.account}`, to });
          const theirs = judge(drawn, pod, { host, port });
          seen.decisions += 1;
          if (allowed) seen.allowed += 1;
          if (!allowed && theirs === "allow") seen.narrowed += 1;
          if ((allowed && theirs === "deny") || (exact && theirs === "allow" && !allowed)) {
            const told = notes.map(({ code, message }) => `${code}: ${message}`).join("\n");
            throw new Error(
              `${pod.namespace}/${pod.account} ${to}: ours ${allowed}, theirs ${theirs}\n${told}\n${text}\n${ours.text}`,
            );
          }
        }
      }
    }
  });
  runProperty(property, budget);
  process.stdout.write(`${what[1]} ${JSON.stringify(seen)}\n`);
  expect(seen.allowed).toBeGreaterThan(seen.decisions / 50);
  expect(seen.narrowed).toBeGreaterThan(0);
  expect(seen.exact).toBeGreaterThan(10);
}

describe("allows nothing that is denied, and by the notes alone less", () => {
  it("Cilium", { timeout: budget.timeoutMs }, () => {
    const toPorts = some(
      fc.record({
        ports: some(
          fc.record({
            port: fc.constantFrom("80", "443", "8443"),
            protocol: fc.constantFrom("TCP", "TCP", "ANY", "UDP"),
          }),
        ),
      }),
    );
    const egress = (odd: boolean) =>
      fc.record(
        {
          toFQDNs: some(
            odd
              ? fc.oneof(
                  spelled.map((matchName) => ({ matchName })),
                  pattern.map((matchPattern) => ({ matchPattern })),
                )
              : fc.oneof(
                  spelled.map((matchName) => ({ matchName })),
                  fc.constant({ matchPattern: "**.example.com" }),
                ),
          ),
          toPorts,
        },
        { requiredKeys: ["toFQDNs"] },
      );
    const deny = fc.oneof(
      fc.record({ toEntities: fc.constantFrom(["world"], ["cluster"]), toPorts }, { requiredKeys: ["toEntities"] }),
      fc.record({ toCIDR: fc.constantFrom(["0.0.0.0/0"], ["10.0.0.0/8"]), toPorts }, { requiredKeys: ["toCIDR"] }),
      fc.record({ toPorts }),
    );
    const policy = (odd: boolean): fc.Arbitrary<CiliumPolicy> =>
      fc.record(
        {
          namespace,
          endpointSelector: fc.record({
            matchLabels: fc.constantFrom<Record<string, string>[]>(
              {},
              { "io.cilium.k8s.policy.serviceaccount": "web" },
              odd ? { app: "job" } : {},
            ),
          }),
          egress: some(egress(odd)) as fc.Arbitrary<CiliumPolicy["egress"]>,
          egressDeny: odd ? some(deny, 1) : fc.constant([]),
        },
        { requiredKeys: ["namespace", "endpointSelector", "egress"] },
      ) as fc.Arbitrary<CiliumPolicy>;
    const policies = fc.boolean().chain((odd) => some(policy(odd), 3));
    compare(["cilium.io/v2", "CiliumNetworkPolicy"], policies, judgeCilium);
  });

  it("GKE", { timeout: budget.timeoutMs }, () => {
    const policy = (odd: boolean): fc.Arbitrary<GkePolicy> =>
      fc.record({
        namespace,
        podSelector: fc.constantFrom<GkePolicy["podSelector"][]>({}, { matchLabels: odd ? { app: "job" } : {} }),
        egress: some(
          fc.record(
            {
              matches: some(
                odd
                  ? fc.oneof(name, pattern).map((text) => (text.includes("*") ? { pattern: text } : { name: text }))
                  : fc.constantFrom({ name: "api.example.com" }, { name: "www.example.com" }),
              ),
              ports: some(fc.record({ protocol: fc.constantFrom("TCP", "UDP"), port: fc.constantFrom(...PORTS) })),
            },
            { requiredKeys: ["matches"] },
          ),
        ),
      }) as fc.Arbitrary<GkePolicy>;
    const policies = fc.boolean().chain((odd) => some(policy(odd), 3));
    compare(["networking.gke.io/v1alpha1", "FQDNNetworkPolicy"], policies, judgeGke);
  });

  it("Calico", { timeout: budget.timeoutMs }, () => {
    const ports = some(fc.constantFrom(...PORTS));
    const allow = (odd: boolean) =>
      fc
        .record(
          { domains: some(odd ? fc.oneof(name, pattern) : fc.constantFrom("api.example.com", "*.example.com")), ports },
          { requiredKeys: ["domains"] },
        )
        .map((destination) => ({ action: "Allow" as const, protocol: "TCP", destination }));
    const deny = fc
      .record({ nets: fc.constantFrom(["10.0.0.0/8"], ["0.0.0.0/0"]), ports }, { requiredKeys: [] })
      .map((destination) => ({ action: "Deny" as const, destination }));
    const policy = (odd: boolean): fc.Arbitrary<CalicoPolicy> =>
      fc.record(
        {
          namespace,
          order: fc.constantFrom(10, 20, 30),
          serviceAccountSelector: fc.constantFrom("projectcalico.org/name == 'web'", "projectcalico.org/name == 'job'"),
          egress: some(odd ? fc.oneof(allow(odd), allow(odd), deny) : allow(odd), 3),
        },
        { requiredKeys: ["namespace", "order", "egress"] },
      ) as fc.Arbitrary<CalicoPolicy>;
    // Two of one order have none.
    const policies = fc
      .boolean()
      .chain((odd) => fc.uniqueArray(policy(odd), { minLength: 1, maxLength: 3, selector: ({ order }) => order }));
    compare(["projectcalico.org/v3", "NetworkPolicy"], policies, judgeCalico);
  });
});
