import type { Decision } from "../../pdp/decision.ts";
import type { Engine } from "../../pdp/engine.ts";
import { API_VERSION } from "../../policy/schema/common.ts";
import { askedRequest } from "../request.ts";
import type { DraftPolicy } from "./draft.ts";
import type { DraftFile } from "./draft-document.ts";
import type { LearntTarget } from "./learnt-rule.ts";
import { requestsText } from "./wording.ts";

interface WrittenCase {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly expect: { readonly shadow: "allow" | "deny" };
}

/** What judging cases needs. */
export interface CaseJudge {
  /** With the closed form of the set that holds the draft. */
  readonly engine: Engine;
  readonly nowMs: number;
  readonly ownTrustDomain: string;
  /** Under AllowAny the shadow lets everything pass: only what is allowed can be told. */
  readonly open: boolean;
}

const GRPC = { "content-type": "application/grpc" } as const;
const OTHER_METHODS = ["DELETE", "PUT", "PATCH", "POST", "GET"] as const;

/**
 * The tests of a policy: each method on each pattern is allowed, and what lies beside it (another path, method, workload)
 * is not. They expect the shadow, so that they hold in report mode as well as enforced. @throws RangeError when something that was
 * learnt would not be allowed
 */
export function caseFile({ workload, name, file, rules }: DraftPolicy, judge: CaseJudge): DraftFile {
  const targets = rules.flatMap((rule) => rule.targets);
  const allowed = targets.flatMap((target) => allowedCases(workload.from, target, judge));
  const beside = judge.open ? [] : targets.flatMap((target) => besideCases(workload.from, target, judge));
  const cases = [...new Map([...allowed, ...beside].map((each) => [each.name, each])).values()];
  const value = {
    apiVersion: API_VERSION,
    kind: "DecisionTest",
    metadata: { name },
    spec: { now: new Date(judge.nowMs).toISOString(), cases },
  };
  const flow = cases.flatMap((_, i) => [
    ["spec", "cases", i, "headers"],
    ["spec", "cases", i, "expect"],
  ]);
  const head = [
    "What `sallyport learn` saw, and what lies beside it. `shadow` is the answer were everything enforced: these cases",
    "hold before and after the policy is.",
  ];
  return {
    path: file.replace(/\.yaml$/, ".test.yaml"),
    head,
    documents: [{ value, flow: [["metadata"], ...flow], comments: [] }],
  };
}

function allowedCases(from: string, target: LearntTarget, judge: CaseJudge): WrittenCase[] {
  const { edge, patterns, tally } = target;
  const ask = (to: string, told: string, count: number): WrittenCase => {
    const { decision, headers } = judged(from, to, judge);
    if (decision.reason !== "allowed-by-rule") throw new RangeError(`${from} ${to} would be ${decision.reason}`);
    return { name: `${told}: ${requestsText(count)}`, from, to, ...headers, expect: { shadow: "allow" } };
  };
  if (edge.kind !== "http") {
    const to = requestTo(target, "", "");
    return [ask(to, to, tally.count)];
  }
  return patterns.flatMap(({ text, methods }) =>
    methods.map(({ method, path, tally: { count } }) =>
      ask(requestTo(target, method, path), `${method} ${edge.host}:${edge.port}${text}`, count),
    ),
  );
}

function besideCases(from: string, target: LearntTarget, judge: CaseJudge): WrittenCase[] {
  const { edge, patterns } = target;
  const seen = patterns[0]?.methods[0];
  const method = seen?.method ?? "";
  const path = seen?.path ?? "";
  const where = `${edge.host}:${edge.port}`;
  const deny = (asking: string, to: string, name: string): WrittenCase[] => {
    const { decision, headers } = judged(asking, to, judge);
    return decision.effect === "allow" ? [] : [{ name, from: asking, to, ...headers, expect: { shadow: "deny" } }];
  };
  const stranger = from.includes("://") ? `${from}/stranger` : `${from.slice(0, from.indexOf("/"))}/stranger`;
  const others = deny(stranger, requestTo(target, method, path), `another workload: ${where}`);
  if (edge.kind !== "http") return others;
  const unseen = OTHER_METHODS.find((each) => !patterns.some(({ methods }) => methods.some((m) => m.method === each)));
  return [
    ...deny(from, requestTo(target, method, "/beside/what/was/seen"), `another path: ${where}`),
    ...(unseen === undefined ? [] : deny(from, requestTo(target, unseen, path), `another method: ${where}`)),
    ...others,
  ];
}

function judged(
  from: string,
  to: string,
  { engine, nowMs, ownTrustDomain }: CaseJudge,
): { readonly decision: Decision; readonly headers: { readonly headers?: typeof GRPC } } {
  const decide = (headers: Readonly<Record<string, string>>): Decision => {
    const asked = askedRequest({ from, to, headers, upgrade: null }, ownTrustDomain);
    if (!asked.ok) throw new RangeError(asked.message);
    return engine.decide(asked.value.input, nowMs);
  };
  const decision = decide({});
  if (!decision.dependsOn.contentType) return { decision, headers: {} };
  return { decision: decide(GRPC), headers: { headers: GRPC } };
}

/** As a test writes it. Of a wildcard the first host that was seen. */
function requestTo({ edge }: LearntTarget, method: string, path: string): string {
  const host = edge.siblings[0] ?? edge.host;
  if (edge.kind === "http") return `${method} http://${host}${edge.port === 80 ? "" : `:${edge.port}`}${path}`;
  return `${edge.kind.toUpperCase()} ${host}:${edge.port}`;
}
