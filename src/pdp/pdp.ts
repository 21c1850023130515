import { createDecisionCache, type DecisionCache } from "./cache.ts";
import { KEY_HEADERS } from "./cache-key.ts";
import type { CheckInput, Decision } from "./decision.ts";

/** All that the decision point needs of an engine: one instance decides for one revision. */
export interface DecisionEngine {
  readonly revision: string;
  /** Names of the headers it can look at, in lower case: others need not be in a question. */
  readonly headers: readonly string[];
  decide(input: CheckInput, nowMs: number): Decision;
}

/** How a decision becomes what the caller sends, logs and counts: rendered once, then kept with the decision. */
export interface PdpOptions<T extends object> {
  render(decision: Decision, input: CheckInput, revision: string): T;
  /** Bytes a rendered value holds in memory; rather too many than too few. */
  sizeOf(value: T): number;
  /** Bound of the decision cache; 0 turns it off. */
  readonly maxCacheBytes: number;
}

/** An answer, and whether it came from the cache. */
export interface PdpAnswer<T> {
  readonly value: T;
  readonly hit: boolean;
}

/** The policy decision point: the engine of the present revision behind its decision cache. */
export interface Pdp<T extends object> {
  /** Null until an engine is installed. */
  readonly revision: string | null;
  /** The headers that an answer can depend on. Another list once the engine is another. */
  readonly headers: readonly string[];
  /** The answer at `nowMs` (milliseconds since the epoch), or null while there is no engine. @throws what the engine throws */
  decide(input: CheckInput, nowMs: number): PdpAnswer<T> | null;
  /** Takes over a new revision; its cache starts empty. */
  install(engine: DecisionEngine): void;
  readonly cacheBytes: number;
  readonly cacheEntries: number;
}

/** A decision point without an engine. */
export function createPdp<T extends object>(options: PdpOptions<T>): Pdp<T> {
  const { render, sizeOf, maxCacheBytes } = options;
  let engine: DecisionEngine | null = null;
  let headers = KEY_HEADERS;
  let cache: DecisionCache<T> = createDecisionCache(0);
  return {
    get revision() {
      return engine === null ? null : engine.revision;
    },
    get headers() {
      return headers;
    },
    decide(input, nowMs) {
      if (engine === null) return null;
      const kept = cache.get(input, nowMs);
      if (kept !== undefined) return { value: kept, hit: true };
      const decision = engine.decide(input, nowMs);
      const value = render(decision, input, engine.revision);
      if (decision.cacheable) cache.set(input, nowMs, decision, value, sizeOf(value));
      return { value, hit: false };
    },
    install(next) {
      engine = next;
      headers = [...KEY_HEADERS, ...next.headers];
      cache = createDecisionCache(maxCacheBytes);
    },
    get cacheBytes() {
      return cache.bytes;
    },
    get cacheEntries() {
      return cache.entries;
    },
  };
}
