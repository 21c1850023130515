import * as fc from "fast-check";
import { expect, test } from "vitest";
import { closedSet } from "../../src/analyze/evidence/closed-set.ts";
import { createLearner, type Learnt } from "../../src/analyze/learn/learn.ts";
import { askedRequest } from "../../src/analyze/request.ts";
import type { AuditRecord } from "../../src/audit/record.ts";
import { compileBundle } from "../../src/bundle/compile.ts";
import { createCanonicaliser } from "../../src/pdp/canonicaliser.ts";
import type { CheckInput } from "../../src/pdp/decision.ts";
import { createEngine, type Engine } from "../../src/pdp/engine.ts";
import { readEngineModule } from "../../src/pdp/engine-module.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import type { PolicySet } from "../../src/policy/model.ts";
import type { PolicyFile } from "../../src/policy/parse-cache.ts";
import { lineOfInput } from "../learn/trail.ts";
import { budgetFor, runProperty } from "./budget.ts";

const budget = budgetFor(20);
const module = readEngineModule();
const canon = createCanonicaliser(module);
const NOW_MS = Date.parse("2026-11-23T12:00:00Z");
const MOST_LITERALS = 3;
const WILDCARD = 3;

const WORKLOADS = ["payments/a", "payments/b", "ml/c", "spiffe://partner.example/batch"] as const;
const SIBLINGS = ["a", "b", "c", "d"].map((label) => `${label}.cdn.example.net`);
const HOSTS = ["api.example.com", "own.example.com", "wild.reg.example.com", "10.0.0.1", ...SIBLINGS] as const;
/** Only asked about, never sent. */
const STRANGE_HOSTS = ["x.y.cdn.example.net", "cdn.example.net", "other.example.com", "e.cdn.example.net"] as const;
const SEGMENTS = [
  ...["v1", "items", "a", "b", "search", "", "1", "2", "33"],
  ...["0d2c8a4e-1b5f-4c3d-9e7a-123456789abc", "1d2c8a4e-1b5f-4c3d-9e7a-123456789abc"],
  ...["0123456789abcdef", "deadbeefdeadbeef", "feedfacefeedface0"],
] as const;
/** Registered in `FILES`, for one protocol each. */
const TAKEN: ReadonlySet<string> = new Set(["own.example.com:80", "own.example.com:443", "wild.reg.example.com:80"]);
/** In doubt, whatever a pattern says. */
const AMBIGUOUS = ["..", "a;b", "a%2Fb", "a\\b", "%00"];
/** No pattern says exactly these either: they are operators, or cannot be seen. `{*}` matches them. */
const HOSTILE = [...AMBIGUOUS, "{*}", "{**}", "*", "%7B**%7D", "%2a", "\u202egpj.exe", "%E2%80%AE", "%20x"];

const FILES: Readonly<Record<string, string>> = {
  "services.yaml": `apiVersion: sallyport.dev/v1alpha1
kind: ExternalService
metadata: {name: own}
spec: {hosts: [own.example.com], ports: [{number: 80, protocol: HTTP}, {number: 443, protocol: TLS}]}
---
apiVersion: sallyport.dev/v1alpha1
kind: ExternalService
metadata: {name: wild}
spec: {hosts: ["*.reg.example.com"], ports: [{number: 80, protocol: GRPC}]}
---
apiVersion: sallyport.dev/v1alpha1
kind: EgressPolicy
metadata: {name: company, namespace: istio-egress}
spec:
  owner: security@example.com
  mode: report
  rules:
  - {name: no-puts, effect: deny, to: [{service: own, ports: [80], methods: [PUT]}], reason: kept}
  - {name: items, from: [{namespace: payments}], to: [{service: own, ports: [80], methods: [GET], paths: ["/items/*"]}]}
`,
};

function gateway(open: boolean): string {
  const spec = open ? "securityModel: AllowAny" : "fallback: report";
  return `apiVersion: sallyport.dev/v1alpha1
kind: EgressGateway
metadata: {name: egress, namespace: istio-egress}
spec: {${spec}, federatedTrustDomains: [partner.example]}
`;
}

interface Asked {
  readonly from: string;
  readonly kind: "http" | "tls";
  readonly host: string;
  readonly port: number;
  readonly method: string;
  readonly segments: readonly string[];
}

const segment = fc.oneof({ weight: 12, arbitrary: fc.constantFrom(...SEGMENTS) }, fc.constantFrom(...HOSTILE));
const asked: fc.Arbitrary<Asked> = fc
  .record({
    from: fc.constantFrom("payments/a", "payments/a", ...WORKLOADS),
    kind: fc.constantFrom("http" as const, "http" as const, "http" as const, "tls" as const),
    host: fc.constantFrom(...HOSTS),
    port: fc.constantFrom(80, 80, 80, 80, 443, 8080),
    method: fc.constantFrom("GET", "POST", "PUT"),
    segments: fc.oneof(
      { weight: 1, arbitrary: fc.array(segment, { minLength: 1, maxLength: 1 }) },
      { weight: 2, arbitrary: fc.array(segment, { minLength: 2, maxLength: 3 }) },
    ),
  })
  .map((each) =>
    each.kind === "tls" ? { ...each, port: each.port === 80 ? 443 : each.port, method: "", segments: [] } : each,
  );

const changes = fc.record({
  from: fc.option(fc.constantFrom(...WORKLOADS, "payments/z"), { nil: undefined, freq: 4 }),
  host: fc.option(fc.constantFrom(...HOSTS, ...STRANGE_HOSTS), { nil: undefined, freq: 3 }),
  port: fc.option(fc.constantFrom(80, 443, 8080), { nil: undefined, freq: 6 }),
  method: fc.option(fc.constantFrom("GET", "POST", "PUT", "DELETE"), { nil: undefined, freq: 3 }),
  segment: fc.option(fc.constantFrom(...SEGMENTS, "new", "77", "2d2c8a4e-1b5f-4c3d-9e7a-123456789abc"), {
    nil: undefined,
    freq: 2,
  }),
  at: fc.nat({ max: 2 }),
  which: fc.nat({ max: 9999 }),
});

function changed(
  base: Asked,
  { from, host, port, method, segment, at }: typeof changes extends fc.Arbitrary<infer T> ? T : never,
): Asked {
  const segments = base.segments.map((each, index) => (segment !== undefined && index === at ? segment : each));
  return {
    ...base,
    from: from ?? base.from,
    host: host ?? base.host,
    port: port ?? base.port,
    method: base.kind === "tls" ? "" : (method ?? base.method),
    segments,
  };
}

function inputOf({ from, kind, host, port, method, segments }: Asked): CheckInput {
  const principal = askedRequest({ from, to: "TLS x.example.com", headers: {}, upgrade: null }, "cluster.local");
  if (!principal.ok) throw new Error(principal.message);
  const headers: CheckInput["headers"] = kind === "http" ? [["content-type", "application/grpc"]] : [];
  const path = kind === "http" ? `/${segments.join("/")}` : "";
  return { ...principal.value.input, kind, host, port: String(port), method, path, headers };
}

// What docs/policy-life.md says of learning, written down once more, without a tree.

const isUuid = (text: string) => /^[0-9a-f-]{36}$/.test(text);
const isHash = (text: string) => text.length >= 16 && /^[0-9a-f]+$/.test(text) && /[0-9]/.test(text);
const isNumber = (text: string) => /^[0-9]+$/.test(text) && text.length < 16;

/** The patterns of some paths, path by path; null is `{*}`. */
function patterns(paths: readonly (readonly string[])[]): (string | null)[][] {
  const found: (string | null)[][] = paths.map(() => []);
  for (let at = 0; at < 3; at++) {
    const places = Map.groupBy(paths.keys(), (index) => JSON.stringify(found[index]));
    for (const place of places.values()) {
      const here = place.filter((index) => (paths[index]?.length ?? 0) > at);
      const values = new Set(here.map((index) => paths[index]?.[at] ?? "").filter((each) => each !== ""));
      const ids = (each: string) => isUuid(each) || isHash(each);
      const numbers = [...values].filter(isNumber).length >= 2;
      const all = [...values].filter((each) => !ids(each) && !isNumber(each)).length >= MOST_LITERALS;
      for (const index of here) {
        const value = paths[index]?.[at] ?? "";
        const any = value !== "" && (all || ids(value) || (numbers && isNumber(value)));
        found[index]?.push(any ? null : value);
      }
    }
  }
  return found;
}

/** An empty segment that is not the last makes `//`. */
function holds({ segments }: Asked, signs: readonly string[]): boolean {
  return segments.some((each) => signs.includes(each)) || segments.slice(0, -1).includes("");
}

const parent = (host: string) => host.slice(host.indexOf(".") + 1);

/** Whether evidence of one workload allows a request. */
function taught(evidence: readonly (Asked & { registered: boolean })[], request: Asked, wildcards: boolean): boolean {
  const mine = evidence.filter(
    ({ from, kind, port }) => from === request.from && kind === request.kind && port === request.port,
  );
  const family = (host: string) => mine.filter((each) => !each.registered && parent(each.host) === parent(host));
  const isWild = (host: string) => wildcards && new Set(family(host).map((each) => each.host)).size >= WILDCARD;
  const hosts = new Set(mine.map(({ host }) => host));
  return [...hosts].some((host) => {
    const wild = isWild(host) && mine.some((each) => each.host === host && !each.registered);
    if (wild ? !request.host.endsWith(`.${parent(host)}`) : request.host !== host) return false;
    const seen = wild ? family(host) : mine.filter((each) => each.host === host);
    const shapes = patterns(seen.map(({ segments }) => segments));
    return seen.some(
      ({ method }, index) =>
        method === request.method &&
        shapes[index]?.length === request.segments.length &&
        shapes[index].every((each, at) =>
          each === null ? request.segments[at] !== "" : each === request.segments[at],
        ),
    );
  });
}

function filesOf(texts: Iterable<readonly [string, string]>): PolicyFile[] {
  return [...texts].map(([path, text]) => ({ path, bytes: new TextEncoder().encode(text) }));
}

function requireLoaded(files: readonly PolicyFile[]): PolicySet {
  const { set, diagnostics } = loadPolicySet(files, canon);
  if (set === null) throw new Error(diagnostics.map(({ message }) => message).join("\n"));
  return set;
}

function learnFrom(sources: readonly PolicyFile[], lines: readonly string[], wildcards: boolean): Learnt {
  const learner = createLearner(
    { set: requireLoaded(sources), sources, module, canon },
    {
      ...{ nowMs: NOW_MS, owner: "team@example.com", expiresMs: NOW_MS + 86_400_000, minCount: 1, minDays: 1 },
      ...{ mostLiterals: MOST_LITERALS, wildcardHosts: wildcards ? WILDCARD : null },
    },
  );
  for (const line of lines) {
    const record: AuditRecord = JSON.parse(line);
    learner.add(record, Date.parse(record.time));
  }
  const finished = learner.finish();
  if (!finished.ok) throw new Error(finished.message);
  return finished.value;
}

function engineOf(set: PolicySet): Engine {
  return createEngine(module, compileBundle(set));
}

test("what is learnt, once enforced, allows the classes of its evidence and nothing else", {
  timeout: budget.timeoutMs,
}, () => {
  const counts = { allowed: 0, denied: 0, learnt: 0, wildcards: 0, conflicts: 0 };
  const sent = fc.noShrink(fc.noBias(fc.array(asked, { minLength: 60, maxLength: 160 })));
  const property = fc.property(
    fc.boolean(),
    fc.boolean(),
    sent,
    fc.array(changes, { minLength: 150, maxLength: 150 }),
    (open, wildcards, requests, edits) => {
      const sources = filesOf(Object.entries({ ...FILES, "gateway.yaml": gateway(open) }));
      const set = requireLoaded(sources);
      const running = engineOf(set);
      const before = engineOf(closedSet(set));
      const lines = requests.map((each, i) => lineOfInput(running, inputOf(each), NOW_MS - 1000 * i, i + 1));
      const learnt = learnFrom(sources, lines, wildcards);
      const texts = learnt.files.map(({ path, text }) => [path, text] as const);
      const after = engineOf(closedSet(requireLoaded([...sources, ...filesOf(texts)])));

      // What the documentation lets count as evidence.
      const evidence = requests.flatMap((each) => {
        if (holds(each, HOSTILE) || running.decide(inputOf(each), NOW_MS).effect === "deny") return [];
        const { effect, reason } = before.decide(inputOf(each), NOW_MS);
        const counts = effect === "deny" && (reason === "unregistered-target" || reason === "no-matching-rule");
        return counts ? [{ ...each, registered: reason === "no-matching-rule" }] : [];
      });
      // A host and port with two protocols is not learnt; under a wildcard its siblings share that fate.
      const wildParents = new Set(
        evidence
          .filter((each) => !each.registered)
          .filter(({ from, kind, port, host }) => {
            const family = evidence.filter(
              (e) =>
                !e.registered &&
                e.from === from &&
                e.kind === kind &&
                e.port === port &&
                parent(e.host) === parent(host),
            );
            return wildcards && new Set(family.map((e) => e.host)).size >= WILDCARD;
          })
          .map(({ host }) => parent(host)),
      );
      const owner = (host: string) => (wildParents.has(parent(host)) ? `*.${parent(host)}` : host);
      const refused = (each: Asked & { registered: boolean }) =>
        !each.registered &&
        (TAKEN.has(`${each.host}:${each.port}`)
          ? true
          : evidence.some(
              (e) =>
                !e.registered && owner(e.host) === owner(each.host) && e.port === each.port && e.kind !== each.kind,
            ));
      const good = evidence.filter((each) => !refused(each));
      counts.conflicts += evidence.length - good.length;
      counts.wildcards += wildParents.size;
      counts.learnt += good.length;
      expect(learnt.learnt).toBe(good.length);

      const judge = (request: Asked) => {
        const earlier = before.decide(inputOf(request), NOW_MS);
        const open = earlier.reason === "unregistered-target" || earlier.reason === "no-matching-rule";
        const want = open ? !holds(request, AMBIGUOUS) && taught(good, request, wildcards) : earlier.effect === "allow";
        const got = after.decide(inputOf(request), NOW_MS);
        counts[got.effect === "allow" ? "allowed" : "denied"] += 1;
        if ((got.effect === "allow") === want) return;
        const told = texts.map(([path, text]) => `# ${path}\n${text}`).join("\n");
        throw new Error(
          `${JSON.stringify(request)} is ${got.effect} (${got.reason}), not ${want}\n${JSON.stringify(good)}\n${told}`,
        );
      };
      for (const each of requests) judge(each);
      for (const each of edits) judge(changed(requests[each.which % requests.length] as Asked, each));

      const again = learnFrom(sources, lines.toReversed(), wildcards);
      expect(again.files).toEqual(learnt.files);
    },
  );
  runProperty(property, budget);
  process.stdout.write(`${JSON.stringify(counts)}\n`);
  for (const count of Object.values(counts)) expect(count).toBeGreaterThan(1);
});
