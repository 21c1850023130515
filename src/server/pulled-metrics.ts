import { Counter, Gauge, type Registry } from "prom-client";

/** A figure that is read when somebody scrapes. */
type Pulled = (name: string, help: string, read: () => number) => void;

/** A counter whose value is kept elsewhere. */
export function pulledCounters(registry: Registry): Pulled {
  return (name, help, read) => {
    new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  };
}

/** A gauge whose value is kept elsewhere. */
export function pulledGauges(registry: Registry): Pulled {
  return (name, help, read) => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  };
}
