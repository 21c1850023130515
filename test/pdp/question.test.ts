import { expect, test } from "vitest";
import { compileBundle } from "../../src/bundle/compile.ts";
import type { CheckInput } from "../../src/pdp/decision.ts";
import { createEngine } from "../../src/pdp/engine.ts";
import { readEngineModule } from "../../src/pdp/engine-module.ts";
import { hostOf, serviceOf, shapeOf, syntheticSet, workloadOf } from "../bench/synthetic-set.ts";

const shape = shapeOf(100);
const engine = createEngine(readEngineModule(), compileBundle(syntheticSet(shape)));
const { namespace, serviceAccount } = workloadOf(0);
const QUESTION: CheckInput = {
  kind: "http",
  principal: `spiffe://cluster.local/ns/${namespace}/sa/${serviceAccount}`,
  host: hostOf(serviceOf(shape, 0)),
  port: "80",
  method: "GET",
  path: "/x",
  headers: [],
};

test("a question in ASCII is read as it is", () => {
  expect(engine.decide(QUESTION, 0)).toMatchObject({ effect: "allow", target: { host: QUESTION.host, port: 80 } });
});

test("texts beyond ASCII keep their bounds, halves of a surrogate pair at a bound included", () => {
  const method = `GET\ud83d`;
  const path = "\ude00/x";
  const answer = engine.decide({ ...QUESTION, method, path }, 0);
  expect(answer).toMatchObject({ effect: "allow", target: { host: QUESTION.host, port: 80 } });
  expect(answer.subject?.spiffeId).toBe(QUESTION.principal);
  expect(
    engine.decide({ ...QUESTION, principal: `${QUESTION.principal}\ud83d`, host: `\ude00${QUESTION.host}` }, 0),
  ).toMatchObject({
    reason: "invalid-identity",
    target: null,
  });
});

test("a bundle that is cut, of another version or not one at all is refused", () => {
  const bundle = compileBundle(syntheticSet(shape));
  for (const length of [0, 4, 127, 128, bundle.length - 1]) {
    expect(() => createEngine(readEngineModule(), bundle.slice(0, length))).toThrow(RangeError);
  }
  const other = bundle.slice();
  other[4] = 99;
  expect(() => createEngine(readEngineModule(), other)).toThrow(RangeError);
});
