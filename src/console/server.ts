import { signal } from "@preact/signals";
import type { RecordedDecision } from "../analyze/replay/recorded-decision.ts";
import { loadPolicies, type Policies } from "./policies.ts";

/** A decision as `/v1/decisions` has it, as far as it is looked at. */
export interface DecisionRecord extends RecordedDecision {
  readonly id: string;
  readonly seat: string;
  readonly subject: {
    readonly spiffeId: string;
    readonly namespace: string | null;
    readonly serviceAccount: string | null;
  };
  readonly owner: string | null;
  readonly gateway: string | null;
  readonly worker?: string;
}

/** `/readyz`, as far as it is looked at. */
export interface Readiness {
  readonly ready: boolean;
  readonly draining: boolean;
  readonly revision: string | null;
  readonly problem: string | null;
  readonly staleNamespaces: readonly string[];
  readonly audit: { readonly failure: string | null; readonly written: number; readonly failed: number };
}

/** `/v1/seats`. */
export interface Seats {
  readonly server: { readonly name: string; readonly revision: string | null; readonly since: string | null };
  readonly gateways: readonly {
    readonly worker: string;
    readonly runs: string | null;
    readonly revision: string;
    readonly leaseMs: number;
    readonly ageMs: number;
  }[];
}

/** Decisions seen since the page was opened, newest first; the server itself remembers the last 256. */
export const decisions = signal<readonly DecisionRecord[]>([]);
export const readiness = signal<Readiness | null>(null);
export const seats = signal<Seats | null>(null);
export const policies = signal<Policies | null>(null);
/** Why the last look at the server failed. */
export const failure = signal<string | null>(null);
/** Whether the lists follow the server. */
export const following = signal(true);

const EACH_MS = 2_000;
/** A page that stays open for days must not grow for days. */
const KEPT = 5_000;

/** Asks the server now and every two seconds, but not while nobody looks. */
export function watchServer(): void {
  const look = async (): Promise<void> => {
    if (following.value && document.visibilityState === "visible") await ask();
    setTimeout(look, EACH_MS);
  };
  look();
}

async function ask(): Promise<void> {
  try {
    const [told, state, seated] = await Promise.all([
      getJson<{ decisions: DecisionRecord[] }>("/v1/decisions"),
      getJson<Readiness>("/readyz"),
      getJson<Seats>("/v1/seats"),
    ]);
    take(told.decisions);
    readiness.value = state;
    seats.value = seated;
    if (state.revision !== (policies.value?.revision ?? null)) policies.value = await loadPolicies();
    failure.value = null;
  } catch (error) {
    failure.value = error instanceof Error ? error.message : String(error);
  }
}

function take(newest: readonly DecisionRecord[]): void {
  const known = new Set(decisions.value.map(({ id }) => id));
  const fresh = newest.filter(({ id }) => !known.has(id));
  if (fresh.length > 0) decisions.value = [...fresh, ...decisions.value].slice(0, KEPT);
}

/** `/readyz` says 503 with the particulars when the server is not ready. */
async function getJson<T>(path: string): Promise<T> {
  const response = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(10_000) });
  if (!response.ok && response.status !== 503) throw new Error(`${path} answers ${response.status}`);
  return (await response.json()) as T;
}
