import { createExplain, type Explain } from "../analyze/explain/explain.ts";
import { sameTexts } from "../analyze/replay/recorded-decision.ts";
import { compileBundle } from "../bundle/compile.ts";
import { readBundleSet } from "../bundle/read-set.ts";
import { bundleRevision } from "../bundle/revision.ts";
import { createEngine, type Engine } from "../pdp/engine.ts";
import type { PolicySet } from "../policy/model.ts";

/** The policies in force, and the server's own engine with them. */
export interface Policies {
  readonly revision: string;
  readonly set: PolicySet;
  readonly engine: Engine;
  readonly explain: Explain;
}

let module: WebAssembly.Module | null = null;

/** Loads them; null when the server has none. @throws when they are not what the server says they are */
export async function loadPolicies(): Promise<Policies | null> {
  const response = await fetch("/v1/bundle", { cache: "no-store", signal: AbortSignal.timeout(60_000) });
  if (response.status === 503) return null;
  if (!response.ok) throw new Error(`/v1/bundle answers ${response.status}`);
  const bundle = new Uint8Array(await response.arrayBuffer());
  const revision = bundleRevision(bundle);
  if (response.headers.get("etag") !== `"${revision}"`)
    throw new Error("the bundle is not of the revision it is sent as");
  module ??= await WebAssembly.compileStreaming(fetch("./engine.wasm", { cache: "no-store" }));
  const engine = createEngine(module, bundle, revision);
  const set = readBundleSet(bundle);
  return { revision, set, engine, explain: createWalk(module, set, engine) };
}

/**
 * Walks decisions. Where an item stands is known only of a bundle compiled here: the set read back decides alike, but what was written once
 * may be laid out otherwise. What decides is the bundle of the server all the same. @throws when the two do not agree, which no policies may cause
 */
function createWalk(code: WebAssembly.Module, set: PolicySet, engine: Engine): Explain {
  let explain: Explain | null = null;
  return (question, most) => {
    if (explain === null) {
      const compiled = compileBundle(set);
      explain = createExplain(createEngine(code, compiled), set, compiled);
    }
    const explanation = explain(question, most);
    const decision = engine.decide(question.input, question.nowMs);
    const { effect, reason, rules } = explanation.decision;
    if (decision.effect !== effect || decision.reason !== reason || !sameTexts(decision.rules, rules)) {
      throw new Error("the walk does not lead to the server's decision");
    }
    return { ...explanation, decision };
  };
}
