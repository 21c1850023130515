import { isDeepStrictEqual } from "node:util";
import type { Engine } from "../../src/pdp/engine.ts";
import { decide, type Verdict } from "../oracle/decide.ts";
import { readWorld } from "../oracle/documents.ts";
import type { Question } from "./aim.ts";
import { minimise } from "./minimise.ts";
import { engineFor, formatFiles, toFiles } from "./pipeline.ts";
import type { GeneratedSet } from "./realise.ts";

/** The engine's answer in the oracle's words. */
export function engineVerdict(engine: Engine, { request, nowMs }: Question): Verdict {
  const { effect, reason, rules, shadow, shadowRules, validUntil, dependsOn, cacheable, subject, target, service } =
    engine.decide(request, nowMs);
  const { method, path, contentType, headers } = dependsOn;
  return {
    ...{ effect, reason, rules, shadow, shadowRules, validUntil, cacheable, target, service },
    dependsOn: { method, path, contentType, headers },
    subject: subject?.spiffeId ?? null,
  };
}

/** The oracle's answer. */
export function oracleVerdict({ documents, invalidNamespaces }: GeneratedSet, { request, nowMs }: Question): Verdict {
  return decide(readWorld(documents, invalidNamespaces), request, nowMs);
}

/** Do both say the same? */
export function sameVerdict(one: Verdict, other: Verdict): boolean {
  return isDeepStrictEqual(plain(one), plain(other));
}

/** Prints a disagreement as small as it can be made: the files, the request, both answers. */
export function describeDisagreement(set: GeneratedSet, question: Question): string {
  const disagree = (some: GeneratedSet, asked: Question) => {
    // Only documents lose keys; a question stays whole.
    if (Object.keys(asked?.request ?? {}).length !== 7 || asked.nowMs === undefined) return false;
    try {
      return !sameVerdict(engineVerdict(engineFor(some), asked), oracleVerdict(some, asked));
    } catch {
      return false;
    }
  };
  const small = minimise({ set, question }, (some) => disagree(some.set, some.question));
  return [
    "engine and oracle disagree",
    formatFiles(toFiles(small.set.documents)),
    `invalid namespaces: ${small.set.invalidNamespaces.join(" ") || "none"}`,
    `now:     ${new Date(small.question.nowMs).toISOString()}`,
    `request: ${show(small.question.request)}`,
    `engine:  ${show(engineVerdict(engineFor(small.set), small.question))}`,
    `oracle:  ${show(oracleVerdict(small.set, small.question))}`,
  ].join("\n");
}

/** JSON with bytes in hex. */
export function show(value: unknown): string {
  return JSON.stringify(value, (_, each) =>
    each instanceof Uint8Array ? `0x${Buffer.from(each).toString("hex")}` : each,
  );
}

function plain(verdict: Verdict): unknown {
  return JSON.parse(JSON.stringify(verdict));
}
