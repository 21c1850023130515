import type { Registry } from "prom-client";
import { pulledCounters, pulledGauges } from "../pulled-metrics.ts";
import type { Sequences } from "./sequences.ts";

/** What the server knows of gateways that decide themselves. */
export function registerGatewayMetrics(registry: Registry, sequences: Sequences, unreadable: () => number): void {
  const total = pulledCounters(registry);
  total(
    "sallyport_gateway_decisions_lost_total",
    "Decisions of gateways that never came on record here.",
    () => sequences.lost,
  );
  total(
    "sallyport_gateway_entries_unreadable_total",
    "Entries of gateways' access logs that hold no report.",
    unreadable,
  );
  pulledGauges(registry)(
    "sallyport_gateway_workers",
    "Workers of gateways that were heard of in the last ten minutes.",
    () => sequences.workers,
  );
}
