import { expect, it } from "vitest";
import { compileBundle } from "../../src/bundle/compile.ts";
import { inspectBundle } from "../../src/bundle/inspect.ts";
import { LAYOUT } from "../../src/bundle/layout.ts";
import { createCanonicaliser } from "../../src/pdp/canonicaliser.ts";
import type { CheckInput } from "../../src/pdp/decision.ts";
import { createEngine } from "../../src/pdp/engine.ts";
import { createEngineInstance } from "../../src/pdp/engine-instance.ts";
import { readEngineModule } from "../../src/pdp/engine-module.ts";
import { createQuestionWriter } from "../../src/pdp/question.ts";
import { loadPolicySet } from "../../src/policy/load.ts";

const module = readEngineModule();
const canon = createCanonicaliser(module);

/** A bundle of one allow of `shop/cart` to `api.example.com`, with these further lines. */
function bundleOf(lines: string): Uint8Array {
  const text = `apiVersion: sallyport.dev/v1alpha1
kind: EgressGateway
metadata: {name: egress, namespace: istio-egress}
spec: {}
---
apiVersion: sallyport.dev/v1alpha1
kind: ExternalService
metadata: {name: api}
spec: {hosts: [api.example.com], ports: [{number: 80, protocol: HTTP}]}
---
apiVersion: sallyport.dev/v1alpha1
kind: EgressPolicy
metadata: {name: p, namespace: istio-egress}
spec:
  owner: o@example.com
  rules:
  - name: r
    from: [{serviceAccount: shop/cart}]
    to: [{service: api}]
    ${lines}
`;
  const { set, diagnostics } = loadPolicySet([{ path: "a.yaml", bytes: Buffer.from(text) }], canon);
  if (set === null) throw new Error(diagnostics.map(({ message }) => message).join("\n"));
  return compileBundle(set);
}

const QUESTION: CheckInput = {
  kind: "http",
  principal: "spiffe://cluster.local/ns/shop/sa/cart",
  host: "api.example.com",
  port: "80",
  method: "GET",
  path: "/x",
  headers: [["x-team", "a"]],
};
const NOW_MS = Date.parse("2026-11-23T12:00:00Z");
const TEAM = `when: headers["x-team"] == "a"`;

const u32 = (bytes: Uint8Array, offset: number): number => new DataView(bytes.buffer).getUint32(offset, true);

it("only a set with expressions needs a reader that knows them", () => {
  const [plain, extended] = [bundleOf("ticket: SEC-1"), bundleOf(TEAM)];
  expect([plain, extended].map((each) => u32(each, LAYOUT.H_VERSION))).toEqual([1, 2]);
  expect([plain, extended].map((each) => inspectBundle(each)?.counts.expressions)).toEqual([0, 1]);
});

it("an engine that nobody tells what an expression came to does not allow", () => {
  const engine = createEngineInstance(module);
  engine.load(bundleOf(TEAM));
  createQuestionWriter(engine, new Set(["x-team"]))(QUESTION);
  const answer = (field: number) => engine.view.getUint32(engine.answer + field, true);
  engine.exports.decide(NOW_MS);
  expect([answer(LAYOUT.A_EFFECT), answer(LAYOUT.A_WHEN_COUNT)]).toEqual([LAYOUT.EFFECT_DENY, 1]);
  // Asked once more without an answer.
  engine.exports.decideAgain(NOW_MS);
  expect(answer(LAYOUT.A_EFFECT)).toBe(LAYOUT.EFFECT_DENY);
  engine.exports.answerWhen(0, 1);
  engine.exports.decideAgain(NOW_MS);
  expect([answer(LAYOUT.A_EFFECT), answer(LAYOUT.A_WHEN_COUNT)]).toEqual([LAYOUT.EFFECT_ALLOW, 0]);
  // The next question starts anew.
  engine.exports.decide(NOW_MS);
  expect([answer(LAYOUT.A_EFFECT), answer(LAYOUT.A_WHEN_COUNT)]).toEqual([LAYOUT.EFFECT_DENY, 1]);
});

it("an answer that reads the clock is not for keeping, whatever it came to", () => {
  const decide = (lines: string) => createEngine(module, bundleOf(lines)).decide(QUESTION, NOW_MS);
  expect(decide("when: now.getHours() == 12")).toMatchObject({ effect: "allow", cacheable: false });
  expect(decide("when: now.getHours() == 13")).toMatchObject({ effect: "deny", cacheable: false });
  expect(decide(TEAM)).toMatchObject({ effect: "allow", cacheable: true, dependsOn: { headers: ["x-team"] } });
});

it("what a bundle holds that validate would refuse is never evaluated", () => {
  const good = bundleOf(`when: 'headers["x-team"] == "a" || 1 == 1'`);
  expect(createEngine(module, good).decide(QUESTION, NOW_MS).effect).toBe("allow");
  const bad = Buffer.from(good);
  bad.write(`headers.exists(h, true) || true || ""`.padEnd(33, " ").slice(0, 33), bad.indexOf("headers["));
  expect(createEngine(module, bad).decide(QUESTION, NOW_MS).effect).toBe("deny");
});

it("a bundle whose expressions lie outside of it is no bundle", () => {
  for (const [field, value] of [
    [LAYOUT.H_WHENS, 0],
    [LAYOUT.H_WHENS, 0xffff_fff0],
    [LAYOUT.H_WHEN_COUNT, 0x1fff_ffff],
    [LAYOUT.H_VERSION, 3],
  ] as const) {
    const bad = bundleOf(TEAM);
    new DataView(bad.buffer).setUint32(field, value, true);
    expect(() => createEngine(module, bad)).toThrow(RangeError);
  }
});
