import { monitorEventLoopDelay } from "node:perf_hooks";
import { Counter, Gauge, Registry } from "prom-client";
import type { AuditSinkState } from "../audit/sink.ts";
import { registerAuditMetrics } from "./audit-metrics.ts";
import { createLatencyHistogram } from "./latency-histogram.ts";
import { pulledCounters, pulledGauges } from "./pulled-metrics.ts";

/** How a reload can end; the values of the label `result`. */
export const RELOAD_RESULTS = ["installed", "unchanged", "rejected", "failed", "timeout"] as const;
export type ReloadResult = (typeof RELOAD_RESULTS)[number];

/** What is read when somebody scrapes. */
export interface MetricSources {
  readonly cache: { readonly cacheBytes: number; readonly cacheEntries: number };
  readonly audit: {
    readonly state: AuditSinkState;
    readonly sinks: readonly { readonly name: string; readonly state: AuditSinkState }[];
  };
  /** Revision in force and since when (ms); null before the first. */
  loaded(): { readonly revision: string; readonly sinceMs: number } | null;
  staleNamespaces(): number;
  /** Errors that keep documents out of force, by code. */
  policyErrors(): ReadonlyMap<string, number>;
  /** When the server's own certificate ends; null without one. */
  certificateEndMs(): number | null;
  now(): number;
}

/** Numbers for Prometheus. No label ever holds a host, an identity or anything else that callers choose. */
export interface Metrics {
  readonly registry: Registry;
  /** Counter of one sort of answer. The same sort gives the same function. */
  counter(seat: "server" | "gateway", effect: string, reason: string, shadow: string): () => void;
  observe(latencyMs: number, hit: boolean): void;
  internalError(): void;
  reload(result: ReloadResult): void;
  refusedCaller(): void;
  flooded(): void;
  close(): void;
}

/** One combination of labels. */
interface Sort {
  readonly labels: Record<string, string>;
  count: number;
  readonly increment: () => void;
}

/** Creates the metrics in a registry of their own. Hot counters are plain numbers until somebody scrapes. */
export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const gauge = pulledGauges(registry);
  const total = pulledCounters(registry);

  const sorts = new Map<string, Sort>();
  new Counter({
    name: "sallyport_decisions_total",
    help: "Decisions, by effect, reason, seat and shadow effect.",
    labelNames: ["effect", "reason", "seat", "shadow"],
    registers,
    collect() {
      this.reset();
      for (const { labels, count } of sorts.values()) this.inc(labels, count);
    },
  });
  const latency = createLatencyHistogram(registry);
  const tally = { hits: 0, misses: 0, internal: 0, refused: 0, flooded: 0 };
  total("sallyport_cache_hits_total", "Answers from the decision cache.", () => tally.hits);
  total("sallyport_cache_misses_total", "Answers not from the decision cache.", () => tally.misses);
  total("sallyport_internal_errors_total", "Checks denied because of a failure of ours.", () => tally.internal);
  total(
    "sallyport_refused_callers_total",
    "Connections refused because the caller is not listed.",
    () => tally.refused,
  );
  total(
    "sallyport_flooding_connections_total",
    "Connections ended because they said much and asked nothing.",
    () => tally.flooded,
  );
  gauge("sallyport_cache_bytes", "Size of the decision cache.", () => sources.cache.cacheBytes);
  gauge("sallyport_cache_entries", "Entries of the decision cache.", () => sources.cache.cacheEntries);

  const reloads = new Counter({
    name: "sallyport_policy_reloads_total",
    help: "Times the policy directory was looked at after a change or poll, by result.",
    labelNames: ["result"],
    registers,
  });
  for (const result of RELOAD_RESULTS) reloads.inc({ result }, 0);
  gauge("sallyport_stale_namespaces", "Namespaces whose present documents are invalid.", sources.staleNamespaces);
  new Gauge({
    name: "sallyport_policy_errors",
    help: "Errors in the policy directory that keep documents out of force, by code (docs/diagnostics.md), or empty, failed, timeout.",
    labelNames: ["code"],
    registers,
    collect() {
      this.reset();
      for (const [code, count] of sources.policyErrors()) this.set({ code }, count);
    },
  });
  gauge(
    "sallyport_policy_load_age_seconds",
    "Time since the revision in force was installed; -1 before the first.",
    () => {
      const loaded = sources.loaded();
      return loaded === null ? -1 : (sources.now() - loaded.sinceMs) / 1000;
    },
  );
  new Gauge({
    name: "sallyport_revision_info",
    help: "Always 1; the label is the revision in force.",
    labelNames: ["revision"],
    registers,
    collect() {
      this.reset();
      const loaded = sources.loaded();
      if (loaded !== null) this.set({ revision: loaded.revision }, 1);
    },
  });
  gauge(
    "sallyport_certificate_end_timestamp_seconds",
    "When the server's own certificate ends, in seconds since the epoch; 0 without one.",
    () => (sources.certificateEndMs() ?? 0) / 1000,
  );
  registerAuditMetrics(registry, sources.audit);

  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  gauge("sallyport_event_loop_lag_p99_seconds", "Event loop delay since the last scrape, 99th percentile.", () => {
    const p99 = Math.max(0, delay.percentile(99) / 1e9);
    delay.reset();
    return p99;
  });

  return {
    registry,
    counter(seat, effect, reason, shadow) {
      const key = `${seat} ${effect} ${reason} ${shadow}`;
      const known = sorts.get(key);
      if (known !== undefined) return known.increment;
      const labels = { effect, reason, seat, shadow };
      const sort: Sort = {
        labels,
        count: 0,
        increment() {
          sort.count += 1;
        },
      };
      sorts.set(key, sort);
      return sort.increment;
    },
    observe(latencyMs, hit) {
      if (hit) tally.hits += 1;
      else tally.misses += 1;
      latency.observe(latencyMs);
    },
    internalError() {
      tally.internal += 1;
    },
    reload(result) {
      reloads.inc({ result });
    },
    refusedCaller() {
      tally.refused += 1;
    },
    flooded() {
      tally.flooded += 1;
    },
    close() {
      delay.disable();
    },
  };
}
