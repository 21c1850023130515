import type { Histogram, MetricValueWithName, Registry } from "prom-client";

/** Upper bounds in seconds, from 25 µs. */
const BUCKETS = [25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 50_000, 250_000].map((us) => us / 1e6);

const NAME = "sallyport_check_duration_seconds";
const HELP = "Time from a decoded Check to its encoded answer.";

/** The latency of answers. Observing adds to three numbers; the text is made when somebody scrapes. */
export interface LatencyHistogram {
  observe(latencyMs: number): void;
}

/** Registers the histogram. */
export function createLatencyHistogram(registry: Registry): LatencyHistogram {
  const counts = new Float64Array(BUCKETS.length + 1);
  let sum = 0;
  registry.registerMetric({
    name: NAME,
    help: HELP,
    type: "histogram",
    aggregator: "sum",
    get,
  } as unknown as Histogram);

  async function get() {
    let total = 0;
    const values: MetricValueWithName<string>[] = [];
    for (const [index, count] of counts.entries()) {
      total += count;
      values.push({ labels: { le: BUCKETS[index] ?? "+Inf" }, value: total, metricName: `${NAME}_bucket` });
    }
    values.push({ labels: {}, value: sum, metricName: `${NAME}_sum` });
    values.push({ labels: {}, value: total, metricName: `${NAME}_count` });
    return { name: NAME, help: HELP, type: "histogram", aggregator: "sum", values };
  }

  return {
    observe(latencyMs) {
      const seconds = latencyMs / 1000;
      sum += seconds;
      let bucket = 0;
      while (bucket < BUCKETS.length && seconds > (BUCKETS[bucket] ?? 0)) bucket += 1;
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    },
  };
}
