import { describe, expect, it } from "vitest";
import { createCanonicaliser } from "../../src/pdp/canonicaliser.ts";
import { readEngineModule } from "../../src/pdp/engine-module.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import type { DecisionTest } from "../../src/policy/model.ts";
import { runCli } from "../cli/run-cli.ts";
import { loadSuites } from "./suite.ts";

/** `check` starts a process for each question, so it is asked about the first and last case of each document only. */
const canon = createCanonicaliser(readEngineModule());
const questions = loadSuites(canon)
  .filter((suite) => !suite.isolated)
  .flatMap((suite) =>
    loadPolicySet(suite.files, canon).tests.flatMap((test) => ends(test).map((each) => ({ suite, test, each }))),
  )
  .map((question) => ({ ...question, name: `${question.suite.name}: ${question.each.name}` }));

function ends(test: DecisionTest): DecisionTest["cases"] {
  return [...new Set([...test.cases.slice(0, 1), ...test.cases.slice(-1)])];
}

describe("check --output json answers as the suite says", () => {
  it.each(questions)("$name", async ({ suite, test, each }) => {
    const args = ["check", each.from, each.to, "--policies", suite.policies, "--output", "json"];
    for (const [name, value] of Object.entries(each.headers)) args.push("--header", `${name}=${value}`);
    if (each.upgrade !== null) args.push("--upgrade", each.upgrade);
    const { code, stdout } = await runCli([...args, "--now", new Date(test.now).toISOString()]);
    const { effect, reason, rules, shadow } = JSON.parse(stdout);
    const ids = rules.map(({ id }: { id: string }) => id).sort();
    expect({ effect, reason, rules: ids, shadow }).toEqual({
      ...each.expect,
      rules: [...(each.expect.rules ?? [])].sort(),
    });
    expect(code).toBe(effect === "allow" ? 0 : 2);
  });
});
