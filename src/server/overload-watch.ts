import { Counter, Gauge, type Registry } from "prom-client";
import type { AuditTrail } from "../audit/trail.ts";
import { type Admission, REFUSALS, type Refusal } from "./admission.ts";
import type { Logger } from "./logger.ts";

/** The trail and the log tell at most so often of Checks that were not taken on. */
const TELL_MS = 10_000;

/** What telling of them needs. */
export interface OverloadWatchOptions {
  readonly admission: Pick<Admission, "refused" | "inFlight">;
  readonly registry: Registry;
  readonly trail: Pick<AuditTrail, "event">;
  readonly log: Pick<Logger, "warn">;
}

/**
 * Tells of Checks that were refused without a decision, of which there are no records: in metrics how many and why, and while there are some also the trail, so that
 * whoever looks for a request there finds why it is missing. `close` tells what is left.
 */
export function watchOverload({ admission, registry, trail, log }: OverloadWatchOptions): { close(): void } {
  const registers = [registry];
  new Counter({
    name: "sallyport_checks_refused_total",
    help: "Checks refused without a decision because the server had too much to do, by reason.",
    labelNames: ["reason"],
    registers,
    collect() {
      this.reset();
      for (const reason of REFUSALS) this.inc({ reason }, admission.refused[reason]);
    },
  });
  new Gauge({
    name: "sallyport_checks_in_flight",
    help: "Checks that were read and wait for their records.",
    registers,
    collect() {
      this.set(admission.inFlight);
    },
  });
  let told: Record<Refusal, number> = { ...admission.refused };
  const timer = setInterval(tell, TELL_MS);
  timer.unref();

  function tell(): void {
    const now = { ...admission.refused };
    const since = Object.fromEntries(REFUSALS.map((reason) => [reason, now[reason] - told[reason]]));
    told = now;
    if (Object.values(since).every((count) => count === 0)) return;
    trail.event({ event: "checks-refused", detail: { refused: since } });
    log.warn({ refused: since }, "Checks were refused because this server had too much to do: more servers are needed");
  }

  return {
    close() {
      clearInterval(timer);
      tell();
    },
  };
}
