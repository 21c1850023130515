import { compileBundle } from "../../../src/bundle/compile.ts";
import { createCanonicaliser } from "../../../src/pdp/canonicaliser.ts";
import { createEngine, type Engine } from "../../../src/pdp/engine.ts";
import { loadIsolated } from "../../../src/policy/isolate.ts";
import type { Suite } from "../suite.ts";
import type { Way } from "./way.ts";

/** The engine itself, on the compiled bundle. */
export function engineWay(module: WebAssembly.Module): Way {
  return {
    name: "engine",
    async open(suite) {
      const engine = engineFor(suite, module);
      return {
        async ask({ input, nowMs }) {
          return engine.decide(input, nowMs);
        },
        async close() {},
      };
    },
  };
}

/** Loads a suite as a running server does, namespace by namespace, and compiles it. */
export function engineFor(suite: Suite, module: WebAssembly.Module): Engine {
  const { set } = loadIsolated(suite.files, createCanonicaliser(module), null);
  if (set === null) throw new Error(`${suite.name} does not load`);
  return createEngine(module, compileBundle(set));
}
