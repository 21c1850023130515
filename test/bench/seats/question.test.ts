import { expect, it } from "vitest";
import { compileBundle } from "../../../src/bundle/compile.ts";
import { createEngine } from "../../../src/pdp/engine.ts";
import { readEngineModule } from "../../../src/pdp/engine-module.ts";
import { syntheticSet } from "../synthetic-set.ts";
import { allowedBy, questionAt, STRANGER, shapeAt } from "./question.ts";
import { rbacFilter } from "./rbac.ts";
import { SIZES } from "./ways.ts";

const NOW = Date.UTC(2026, 10, 23);

it.each(SIZES)("asks of %i rules what one in the middle allows, and no other, by its path too", (rules) => {
  const shape = shapeAt(rules);
  const { principal, host, path } = questionAt(rules);
  const all = Array.from({ length: rules }, (_, rule) => allowedBy(shape, rule));
  const named = all.flatMap((each, rule) => (each.principal === principal && each.host === host ? [rule] : []));
  expect(named).toHaveLength(1);
  const middle = named[0] ?? 0;
  expect(Math.abs(middle - rules / 2)).toBeLessThanOrEqual(3);

  const engine = createEngine(readEngineModule(), compileBundle(syntheticSet(shape)));
  const ask = (who: string, what: string) =>
    engine.decide({ kind: "http", principal: who, host, port: "80", method: "GET", path: what, headers: [] }, NOW);
  const allowed = ask(principal, path);
  expect(allowed.effect).toBe("allow");
  expect(JSON.stringify(allowed)).toContain(`rule-${middle}"`);
  expect(ask(principal, "/elsewhere").effect).toBe("deny");
  expect(ask(STRANGER, path).effect).toBe("deny");
});

it("gives Envoy's RBAC a policy for each rule, in their order", () => {
  const { typed_config } = rbacFilter(1_000) as { typed_config: { rules: { policies: object } } };
  const names = Object.keys(typed_config.rules.policies);
  expect(names).toHaveLength(1_000);
  expect(names).toEqual(names.toSorted());
});
