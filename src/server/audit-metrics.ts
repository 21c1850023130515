import { Counter, Gauge, type Registry } from "prom-client";
import type { AuditSinkState } from "../audit/sink.ts";

/** What is read when somebody scrapes. */
interface AuditSource {
  readonly state: AuditSinkState;
  readonly sinks: readonly { readonly name: string; readonly state: AuditSinkState }[];
}

type Labels = Readonly<Record<string, string>>;

/**
 * The trail as a whole, as far as `require` demands, and each sink by itself. For both, lines taken are at every scrape exactly
 * those written, lost and pending.
 */
export function registerAuditMetrics(registry: Registry, { state, sinks }: AuditSource): void {
  const trail = [{ labels: {}, state }];
  const each = sinks.map(({ name, state: own }) => ({ labels: { sink: name }, state: own }));
  register(registry, "sallyport_audit", "Audit lines", [], trail);
  register(registry, "sallyport_audit_sink", "Audit lines of each sink", ["sink"], each);
}

function register(
  registry: Registry,
  prefix: string,
  what: string,
  labelNames: readonly string[],
  sources: readonly { readonly labels: Labels; readonly state: AuditSinkState }[],
): void {
  const registers = [registry];
  const total = (name: string, help: string, read: (state: AuditSinkState) => number) =>
    new Counter({
      name: `${prefix}_${name}`,
      help,
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const { labels, state } of sources) this.inc(labels, read(state));
      },
    });
  const gauge = (name: string, help: string, read: (state: AuditSinkState) => number) =>
    new Gauge({
      name: `${prefix}_${name}`,
      help,
      labelNames,
      registers,
      collect() {
        for (const { labels, state } of sources) this.set(labels, read(state));
      },
    });
  total("taken_total", `${what} made: written, lost or pending.`, (state) => state.taken);
  total("written_total", `${what} that reached their destination.`, (state) => state.written);
  new Counter({
    name: `${prefix}_failed_total`,
    help: `${what} that were lost, by reason.`,
    labelNames: [...labelNames, "reason"],
    registers,
    collect() {
      this.reset();
      for (const { labels, state } of sources) {
        this.inc({ ...labels, reason: "too-slow" }, state.tooSlow);
        this.inc({ ...labels, reason: "not-written" }, state.failed - state.tooSlow);
      }
    },
  });
  gauge("pending", `${what} on their way.`, (state) => state.pending);
  gauge("failing", "1 while it cannot be written.", (state) => (state.failure === null ? 0 : 1));
}
