import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Engine } from "../../src/pdp/engine.ts";
import type { PlacedDocument } from "../oracle/documents.ts";
import { aim, aimsOf, type Question } from "./aim.ts";
import { budgetFor, runProperty } from "./budget.ts";
import { show } from "./compare.ts";
import { compileFiles, engineFor, formatFiles, toFiles } from "./pipeline.ts";
import { type GeneratedSet, realise } from "./realise.ts";
import { requestDraft } from "./request-draft.ts";
import { policyDraft, setDraft } from "./set-draft.ts";

const budget = budgetFor(80);
const requests = fc.array(requestDraft, { minLength: 60, maxLength: 60 });

interface PolicyDocument {
  readonly kind: string;
  readonly spec: { readonly mode?: string; readonly rules: readonly unknown[] };
}

/** Checks a law about how the same questions are answered in a set and in another made from it. */
function compareSets(
  change: (set: GeneratedSet) => GeneratedSet,
  law: (before: Engine, after: Engine, question: Question) => boolean,
): void {
  const property = fc.property(setDraft, requests, (draft, drafts) => {
    const set = realise(draft);
    checkLaw(
      set,
      change(set),
      drafts.map((each) => aim(each, aimsOf(set))),
      law,
    );
  });
  runProperty(property, budget);
}

function checkLaw(
  one: GeneratedSet,
  other: GeneratedSet,
  questions: readonly Question[],
  law: (before: Engine, after: Engine, question: Question) => boolean,
): void {
  const [before, after] = [engineFor(one), engineFor(other)];
  for (const question of questions) {
    if (law(before, after, question)) continue;
    const answers = [before, after].map((engine) => show(engine.decide(question.request, question.nowMs)));
    throw new Error([formatFiles(toFiles(other.documents)), show(question), ...answers].join("\n"));
  }
}

const ask = (engine: Engine, { request, nowMs }: Question) => engine.decide(request, nowMs);
const alike = (before: Engine, after: Engine, question: Question) =>
  show(ask(before, question)) === show(ask(after, question));

/** A root policy that no other document mentions. */
function rootPolicy(name: string, rules: readonly unknown[]): PlacedDocument {
  const metadata = { name, namespace: "egress" };
  const doc = {
    apiVersion: "sallyport.dev/v1alpha1",
    kind: "EgressPolicy",
    metadata,
    spec: { owner: "o@example.com", rules },
  };
  return { place: "", doc };
}

describe("bundles", { timeout: budget.timeoutMs }, () => {
  test("order of files, documents and rules never matters: the same bytes", () => {
    const property = fc.property(setDraft, fc.infiniteStream(fc.noBias(fc.nat())), (draft, numbers) => {
      const { documents, invalidNamespaces } = realise(draft);
      const shuffle = <T>(list: readonly T[]) =>
        list
          .map((each) => ({ each, key: Number(numbers.next().value) }))
          .sort((a, b) => a.key - b.key)
          .map(({ each }) => each);
      const shuffled = shuffle(documents).map(({ place, doc }) => {
        const policy = doc as PolicyDocument;
        if (policy.kind !== "EgressPolicy") return { place, doc };
        return { place, doc: { ...policy, spec: { ...policy.spec, rules: shuffle(policy.spec.rules) } } };
      });
      const one = compileFiles(toFiles(documents), invalidNamespaces);
      const other = compileFiles(shuffle(toFiles(shuffled)), invalidNamespaces);
      expect(Buffer.from(other).equals(Buffer.from(one)), formatFiles(toFiles(documents))).toBe(true);
    });
    runProperty(property, budget);
  });

  test("compiling again without a change gives the same bytes", () => {
    const property = fc.property(setDraft, (draft) => {
      const { documents, invalidNamespaces } = realise(draft);
      const [one, other] = [1, 2].map(() => Buffer.from(compileFiles(toFiles(documents), invalidNamespaces)));
      expect(other).toEqual(one);
    });
    runProperty(property, budget);
  });
});

describe("rules", { timeout: budget.timeoutMs }, () => {
  test("an added enforced deny never widens", () => {
    let narrowed = 0;
    const property = fc.property(setDraft, policyDraft, requests, (draft, added, drafts) => {
      const set = realise(draft);
      const deny = { ...added, report: 1, rules: added.rules.map((rule) => ({ ...rule, deny: 0 })) };
      const more = realise({ ...draft, policies: [...draft.policies, deny] });
      checkLaw(
        set,
        more,
        drafts.map((each) => aim(each, aimsOf(set))),
        (before, after, question) => {
          const [one, other] = [ask(before, question), ask(after, question)];
          if (one.effect !== other.effect) narrowed++;
          const narrower = (was: string, is: string) => was === is || is === "deny";
          return narrower(one.effect, other.effect) && narrower(one.shadow, other.shadow);
        },
      );
    });
    runProperty(property, budget);
    expect(narrowed).toBeGreaterThan(50);
  });

  test("a rule about others, and a service that nobody asks for, change nothing", () => {
    const from = [{ trustDomain: "cluster.local" }];
    const hosts = ["unrelated.example.net"];
    compareSets((set) => {
      const domain = aimsOf(set).domains[0];
      const service = { hosts, ports: [{ number: 80, protocol: "HTTP" }] };
      const rules = [
        { name: "others", effect: "deny", from: [{ serviceAccount: "others/other" }], reason: "because" },
        {
          name: "elsewhere",
          from: domain === "cluster.local" ? from : [{ trustDomain: domain }],
          to: [{ hosts, paths: ["/x"] }],
        },
      ];
      const metadata = { name: "unrelated" };
      const doc = { apiVersion: "sallyport.dev/v1alpha1", kind: "ExternalService", metadata, spec: service };
      return { ...set, documents: [{ place: "", doc }, ...set.documents, rootPolicy("unrelated", rules)] };
    }, alike);
  });

  test("policies in report mode never change effect, reason or rules", () => {
    let reported = 0;
    const isReport = ({ doc }: PlacedDocument) => (doc as PolicyDocument).spec.mode === "report";
    compareSets(
      (set) => ({ ...set, documents: set.documents.filter((each) => !isReport(each)) }),
      (before, after, question) => {
        const [one, other] = [ask(before, question), ask(after, question)];
        if (one.shadow !== other.shadow) reported++;
        return one.effect === other.effect && one.reason === other.reason && show(one.rules) === show(other.rules);
      },
    );
    expect(reported).toBeGreaterThan(10);
  });
});

test("a respelt host is decided alike: case, trailing dot, equal explicit port", { timeout: budget.timeoutMs }, () => {
  let respelt = 0;
  const property = fc.property(setDraft, requests, (draft, drafts) => {
    const set = realise(draft);
    const engine = engineFor(set);
    for (const each of drafts) {
      const { request, nowMs } = aim(each, aimsOf(set));
      const answer = engine.decide(request, nowMs);
      if (answer.target === null) continue;
      const bare = /^(\[.*\]|[^:]*)/.exec(request.host)?.[0] ?? "";
      const dot = bare.startsWith("[") || bare.endsWith(".") ? "" : ".";
      const port = request.kind === "http" ? `:${answer.target.port}` : "";
      const explicit = request.host.slice(bare.length);
      for (const host of [
        bare.toUpperCase() + explicit,
        bare + dot + explicit,
        bare + port,
        bare.toUpperCase() + dot + port,
      ]) {
        respelt++;
        const again = engine.decide({ ...request, host }, nowMs);
        if (show(again) === show(answer)) continue;
        throw new Error(
          [formatFiles(toFiles(set.documents)), host, show(request), show(answer), show(again)].join("\n"),
        );
      }
    }
  });
  runProperty(property, budget);
  expect(respelt).toBeGreaterThan(1000);
});
