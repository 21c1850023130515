import { Gauge, type Registry } from "prom-client";
import type { ExceptionCounts } from "./exception-watch.ts";

/** Rules that end by themselves: three series and one figure, however many rules there are. */
export function registerExceptionMetrics(registry: Registry, counts: () => ExceptionCounts): void {
  new Gauge({
    name: "sallyport_exceptions",
    help: "Rules in force with an end: expired, soon (within exceptions.lead) or later.",
    labelNames: ["state"],
    registers: [registry],
    collect() {
      for (const [state, number] of Object.entries(counts().states)) this.set({ state }, number);
    },
  });
  new Gauge({
    name: "sallyport_exception_next_end_seconds",
    help: "Time until the next rule expires; -1 when none is to.",
    registers: [registry],
    collect() {
      const { nextEndMs } = counts();
      this.set(nextEndMs === null ? -1 : nextEndMs / 1000);
    },
  });
}
