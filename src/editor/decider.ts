import { createExplain, type Explain } from "../analyze/explain/explain.ts";
import { compileBundle } from "../bundle/compile.ts";
import { createEngine, type Engine } from "../pdp/engine.ts";
import type { PolicySet } from "../policy/model.ts";

/** The engine with the newest valid policy set. */
export interface Decider {
  readonly set: PolicySet;
  readonly engine: Engine;
  readonly explain: Explain;
  /** The files have errors by now: this is how it was before. */
  readonly isOutdated: boolean;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

/** Compiles a set for questions. */
export function createDecider(module: WebAssembly.Module, set: PolicySet): Pick<Decider, "set" | "engine" | "explain"> {
  const bundle = compileBundle(set);
  const engine = createEngine(module, bundle);
  return { set, engine, explain: createExplain(engine, set, bundle) };
}
