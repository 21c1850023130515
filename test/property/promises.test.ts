import { isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Decision } from "../../src/pdp/decision.ts";
import type { Request } from "../oracle/target.ts";
import { aim, aimsOf, type Question } from "./aim.ts";
import { budgetFor, runProperty } from "./budget.ts";
import { show } from "./compare.ts";
import { engineFor, formatFiles, toFiles } from "./pipeline.ts";
import { realise } from "./realise.ts";
import { type RequestDraft, requestDraft } from "./request-draft.ts";
import { setDraft } from "./set-draft.ts";

/** What a decision depends on whatever its mask says. */
const ALWAYS = ["host", "connection", "upgrade", ":protocol"];

const budget = budgetFor(150);
const requests = fc.array(fc.tuple(requestDraft, requestDraft), { minLength: 60, maxLength: 60 });

/** Asks pairs of questions that the first answer promises to decide alike; gives how many of them differed in the asking. */
function keepsPromise(second: (first: Question, answer: Decision, other: RequestDraft) => Question): number {
  let changed = 0;
  const property = fc.property(setDraft, requests, (draft, pairs) => {
    const set = realise(draft);
    const aims = aimsOf(set);
    const engine = engineFor(set);
    for (const [one, other] of pairs) {
      const question = aim(one, aims);
      const answer = engine.decide(question.request, question.nowMs);
      const next = second(question, answer, other);
      if (show(next) === show(question)) continue;
      changed++;
      const again = engine.decide(next.request, next.nowMs);
      if (isDeepStrictEqual(again, answer)) continue;
      const files = formatFiles(toFiles(set.documents));
      throw new Error([files, show(question), show(answer), show(next), show(again)].join("\n"));
    }
  });
  runProperty(property, budget);
  return changed;
}

/** Everything that the mask leaves out, replaced by another request's. */
function changeUnmasked(request: Request, { dependsOn }: Decision, other: RequestDraft): Request {
  if (request.kind !== "http") return request;
  const kept = [...ALWAYS, ...dependsOn.headers, ...(dependsOn.contentType ? ["content-type"] : [])];
  const free = (method: string) => !dependsOn.method && method !== "CONNECT";
  return {
    ...request,
    method: free(request.method) && free(other.method) ? other.method : request.method,
    path: dependsOn.path ? request.path : other.path,
    headers: [
      ...request.headers.filter(([name]) => kept.includes(name)),
      ...other.headers.filter(([name]) => !kept.includes(name)),
    ],
  };
}

test("a request that differs only in what the mask leaves out is decided alike", { timeout: budget.timeoutMs }, () => {
  const changed = keepsPromise(({ request, nowMs }, answer, other) => ({
    request: changeUnmasked(request, answer, other),
    nowMs,
  }));
  expect(changed).toBeGreaterThan(1000);
});

test("a decision that may be kept stands until just before validUntil, or for ever", {
  timeout: budget.timeoutMs,
}, () => {
  const changed = keepsPromise(({ request, nowMs }, { validUntil, cacheable }, { now }) => {
    if (!cacheable) return { request, nowMs };
    const end = validUntil ?? nowMs + 400 * 86_400_000;
    return { request, nowMs: now % 2 === 0 ? end - 1 : nowMs + (now % Math.max(1, end - nowMs)) };
  });
  expect(changed).toBeGreaterThan(1000);
});

test("both promises hold together, as a cache relies on them", { timeout: budget.timeoutMs }, () => {
  const changed = keepsPromise(({ request, nowMs }, answer, other) => {
    const last = answer.cacheable ? (answer.validUntil ?? nowMs + 400 * 86_400_000) - 1 : nowMs;
    return { request: changeUnmasked(request, answer, other), nowMs: last };
  });
  expect(changed).toBeGreaterThan(1000);
});
