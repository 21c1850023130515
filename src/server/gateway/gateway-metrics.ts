import { Counter, Gauge, type Registry } from "prom-client";
import type { Sequences } from "./sequences.ts";

/** What the server knows of gateways that decide themselves. */
export function registerGatewayMetrics(registry: Registry, sequences: Sequences, unreadable: () => number): void {
  const registers = [registry];
  const total = (name: string, help: string, read: () => number) =>
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(read());
      },
    });
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
  new Gauge({
    name: "sallyport_gateway_workers",
    help: "Workers of gateways that were heard of in the last ten minutes.",
    registers,
    collect() {
      this.set(sequences.workers);
    },
  });
}
