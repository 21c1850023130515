import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { askedRequest } from "../../src/analyze/request.ts";
import type { CheckInput, HeaderPair } from "../../src/pdp/decision.ts";
import type { Canonicaliser } from "../../src/policy/canonicaliser.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import type { DecisionTest } from "../../src/policy/model.ts";
import type { PolicyFile } from "../../src/policy/parse-cache.ts";

/** What every way to decide must agree on. */
export interface Outcome {
  readonly effect: string;
  readonly reason: string;
  readonly rules: readonly string[];
  readonly shadow: string;
}

/** One question with the answer that the suite expects. */
export interface Question {
  readonly name: string;
  /** Written as a case of a DecisionTest (so that the command line can ask it), not as a raw input. */
  readonly written: boolean;
  readonly nowMs: number;
  readonly input: CheckInput;
  readonly expected: Outcome;
}

/** A decision suite: a policy directory and questions about it. */
export interface Suite {
  readonly name: string;
  /** The policy directory, for ways that read files themselves. */
  readonly policies: string;
  /** The same files, and `cases.test.yaml` where there are cases. */
  readonly files: readonly PolicyFile[];
  /** A namespace of the set is invalid on purpose: only ways that load namespace by namespace can decide. */
  readonly isolated: boolean;
  readonly questions: readonly Question[];
}

const SUITES = fileURLToPath(new URL("suites", import.meta.url));

/** All suites under `test/conformance/suites`, sorted by name. */
export function loadSuites(canon: Canonicaliser): Suite[] {
  return readdirSync(SUITES)
    .sort()
    .map((name) => loadSuite(name, canon));
}

function loadSuite(name: string, canon: Canonicaliser): Suite {
  const directory = join(SUITES, name);
  const policies = join(directory, "policies");
  const files: PolicyFile[] = readdirSync(policies, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => ({ path: relative(policies, path), bytes: readFileSync(path) }));
  const cases = join(directory, "cases.yaml");
  if (existsSync(cases)) files.push({ path: "cases.test.yaml", bytes: readFileSync(cases) });
  const { set, tests, diagnostics } = loadPolicySet(files, canon);
  const isolated = name === "invalid-namespaces";
  if ((set === null) !== isolated) {
    throw new Error(
      `${name}: ${diagnostics.map((each) => `${each.at.file}:${each.at.line} ${each.message}`).join("\n")}`,
    );
  }
  const own = set?.gateway.trustDomains[0] ?? "cluster.local";
  const raw = join(directory, "raw.yaml");
  const questions = [
    ...tests.flatMap((test) => writtenQuestions(test, own)),
    ...(existsSync(raw) ? rawQuestions(raw) : []),
  ];
  return { name, policies, files, isolated, questions };
}

function writtenQuestions(test: DecisionTest, ownTrustDomain: string): Question[] {
  return test.cases.map((each) => {
    const asked = askedRequest(each, ownTrustDomain);
    if (!asked.ok) throw new Error(`${each.name}: ${asked.message}`);
    const { effect, reason, rules, shadow } = each.expect;
    if (effect === null || reason === null || rules === null || shadow === null)
      throw new Error(`${each.name}: expect all four`);
    const expected = { effect, reason, rules, shadow };
    return { name: `${test.name}: ${each.name}`, written: true, nowMs: test.now, input: asked.value.input, expected };
  });
}

interface RawFile {
  readonly now: string;
  readonly cases: readonly {
    readonly name: string;
    readonly input: Omit<CheckInput, "headers"> & {
      readonly headers: readonly (readonly [string, string | { readonly hex: string }])[];
    };
    readonly expect: Outcome;
  }[];
}

function rawQuestions(file: string): Question[] {
  const { now, cases }: RawFile = parse(readFileSync(file, "utf8"));
  const nowMs = Date.parse(now);
  return cases.map(({ name, input, expect }) => {
    const headers = input.headers.map(
      ([key, value]): HeaderPair => [key, typeof value === "string" ? value : Buffer.from(value.hex, "hex")],
    );
    return { name: `raw: ${name}`, written: false, nowMs, input: { ...input, headers }, expected: expect };
  });
}
