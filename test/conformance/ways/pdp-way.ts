import type { Decision } from "../../../src/pdp/decision.ts";
import { createPdp } from "../../../src/pdp/pdp.ts";
import { engineFor } from "./engine-way.ts";
import { outcome, type Way } from "./way.ts";

/**
 * The decision point behind a warm cache. Each question is asked twice: what may be cached must be a hit the second
 * time, what may not must not be, and both answers must agree.
 */
export function pdpWay(module: WebAssembly.Module): Way {
  return {
    name: "warm-cache PDP",
    async open(suite) {
      const pdp = createPdp<Decision>({ render: (decision) => decision, sizeOf: () => 1000, maxCacheBytes: 64 << 20 });
      pdp.install(engineFor(suite, module));
      return {
        async ask({ name, input, nowMs }) {
          const first = pdp.decide(input, nowMs);
          const second = pdp.decide(input, nowMs);
          if (first === null || second === null) throw new Error("no policy");
          if (second.hit !== second.value.cacheable)
            throw new Error(`${name}: hit ${second.hit}, cacheable ${second.value.cacheable}`);
          const [a, b] = [outcome(first.value), outcome(second.value)];
          if (JSON.stringify(a) !== JSON.stringify(b)) throw new Error(`${name}: the cached answer differs`);
          return b;
        },
        async close() {},
      };
    },
  };
}
