import type { DraftPolicy } from "../../analyze/learn/draft.ts";
import type { Learnt } from "../../analyze/learn/learn.ts";
import type { LearntPattern, LearntTarget } from "../../analyze/learn/learnt-rule.ts";
import type { TrailCounts } from "../recorded-requests.ts";
import { tallyJson } from "../tally-json.ts";

/** Values of a `{*}` that are told by name. */
const NAMED = 10;

/** The stable machine-readable form, documented in docs/cli.md. `out` = where the files were written, null = nowhere. */
export function learnJson(learnt: Learnt, { records, unreadable }: TrailCounts, out: string | null): object {
  return {
    schema: "sallyport.dev/learn/v1",
    trail: { records, unreadable },
    learnt: learnt.learnt,
    covered: learnt.covered,
    leftOut: learnt.leftOut,
    services: learnt.services.map(({ scope, pattern, ...rest }) => ({ namespace: scope, host: pattern, ...rest })),
    policies: learnt.policies.map(policyJson),
    brokenTests: learnt.brokenTests,
    out,
    files: out === null ? learnt.files : learnt.files.map(({ path }) => path),
  };
}

function policyJson({ workload, name, file, rules }: DraftPolicy): object {
  return {
    ...{ workload: workload.spiffeId, namespace: workload.scope, name, file },
    rules: rules.map((rule) => ({ name: rule.name, targets: rule.targets.map(targetJson) })),
  };
}

function targetJson({ edge, patterns, tally }: LearntTarget): object {
  return {
    ...{ host: edge.host, hosts: edge.siblings, port: edge.port, protocol: edge.kind },
    paths: patterns.map(patternJson),
    evidence: tallyJson(tally),
  };
}

function patternJson({ text, methods, values }: LearntPattern): object {
  return {
    path: text,
    methods: methods.map(({ method, path, tally }) => ({ method, example: path, evidence: tallyJson(tally) })),
    values: values.map((each) => ({ count: each.length, some: each.slice(0, NAMED) })),
  };
}
