import { LRUCache } from "lru-cache";
import { baseKey, covers, dependsOnMore, fullKey, union } from "./cache-key.ts";
import type { CheckInput, Decision, Dependencies } from "./decision.ts";

/** What a decision was rendered into, and for which span of the clock it holds. */
interface Kept<T> {
  readonly value: T;
  /** The answer holds for `from <= now < until`, and for no other instant: a clock set back revives nothing. */
  readonly from: number;
  readonly until: number;
}

/** A base key leads to a decision that depends on nothing else, or to the inputs that complete the key. */
type Entry<T> =
  | { readonly kept: Kept<T>; readonly depends: null }
  | { readonly kept: null; readonly depends: Dependencies };

/** Decisions of one revision. */
export interface DecisionCache<T extends object> {
  /** The kept answer for exactly this request at this instant, or undefined. */
  get(input: CheckInput, nowMs: number): T | undefined;
  /** Keeps an answer given at `nowMs`. */
  set(input: CheckInput, nowMs: number, decision: Decision, value: T, bytes: number): void;
  readonly bytes: number;
  readonly entries: number;
}

/** What an entry costs beside its key and value: the maps' and the list's cells, two objects, string headers. */
const ENTRY_BYTES = 400;

/**
 * A cache bounded by bytes, as counted conservatively (two bytes for a character of a key, plus what the caller says of
 * the value). `maxBytes` 0 keeps nothing. The clock is the caller's: nothing here reads the time or sets a timer.
 */
export function createDecisionCache<T extends object>(maxBytes: number): DecisionCache<T> {
  if (maxBytes <= 0) return { get: () => undefined, set() {}, bytes: 0, entries: 0 };
  const lru = new LRUCache<string, Entry<T>>({ maxSize: maxBytes });

  function keep(key: string, entry: Entry<T>, bytes: number): void {
    lru.set(key, entry, { size: key.length * 2 + ENTRY_BYTES + bytes });
  }

  // What is not found is decided and then kept: its key need not be made twice.
  let lastInput: CheckInput | null = null;
  let lastBase = "";

  return {
    get(input, nowMs) {
      const base = baseKey(input);
      lastInput = input;
      lastBase = base;
      const entry = lru.get(base);
      if (entry === undefined) return undefined;
      if (entry.depends === null) return current(entry.kept, nowMs);
      const full = lru.get(fullKey(base, input, entry.depends));
      return full === undefined || full.kept === null ? undefined : current(full.kept, nowMs);
    },

    set(input, nowMs, decision, value, bytes) {
      const base = input === lastInput ? lastBase : baseKey(input);
      const kept = { value, from: nowMs, until: decision.validUntil ?? Number.POSITIVE_INFINITY };
      const known = lru.peek(base)?.depends ?? null;
      const depends = known === null ? decision.dependsOn : wider(known, decision.dependsOn);
      if (!dependsOnMore(depends)) {
        keep(base, { kept, depends: null }, bytes);
        return;
      }
      // INVARIANT: a full key is always spelt with the inputs that the base entry names, never with fewer.
      if (depends !== known) keep(base, { kept: null, depends }, 64 + depends.headers.length * 64);
      keep(fullKey(base, input, depends), { kept, depends: null }, bytes);
    },

    get bytes() {
      return lru.calculatedSize;
    },
    get entries() {
      return lru.size;
    },
  };
}

function current<T>(kept: Kept<T>, nowMs: number): T | undefined {
  return nowMs >= kept.from && nowMs < kept.until ? kept.value : undefined;
}

/** `known` itself when it already names everything, so that an unchanged base entry is not written again. */
function wider(known: Dependencies, needed: Dependencies): Dependencies {
  return covers(known, needed) ? known : union(known, needed);
}
