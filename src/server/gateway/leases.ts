import { LRUCache } from "lru-cache";

/** The last lease that a worker of a gateway was given. */
export interface GrantedLease {
  readonly worker: string;
  /** The revision that it said it runs; null = none yet. */
  readonly runs: string | null;
  /** The revision that the lease is for. */
  readonly revision: string;
  readonly leaseMs: number;
}

/** Remembers who was given a lease, for those who look at it: nothing is decided by it. */
export interface Leases {
  granted(lease: GrantedLease): void;
  /** Those of workers that have asked in the last ten minutes, the newest first, with their ages in milliseconds. */
  all(): readonly (GrantedLease & { readonly ageMs: number })[];
}

/** More workers than one server has. */
const KEPT = 1_024;
const GONE_MS = 600_000;

/** @param nowMs A clock that no one sets. */
export function createLeases(nowMs: () => number): Leases {
  const known = new LRUCache<string, { readonly lease: GrantedLease; readonly atMs: number }>({ max: KEPT });
  return {
    granted(lease) {
      known.set(lease.worker, { lease, atMs: nowMs() });
    },
    all() {
      const now = nowMs();
      return [...known.values()]
        .map(({ lease, atMs }) => ({ ...lease, ageMs: Math.round(now - atMs) }))
        .filter(({ ageMs }) => ageMs <= GONE_MS);
    },
  };
}
