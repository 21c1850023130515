/** A way to decide about a request, in the order of tables. */
export const WAYS = ["none", "rbac", "gateway", "server-tcp", "server-unix", "grpc-go"] as const;
export type Way = (typeof WAYS)[number];

/** How many rules. */
export const SIZES = [10, 1_000, 10_000] as const;

/** What each way is called where people read. */
export const TITLES: Readonly<Record<Way, string>> = {
  none: "no authorization",
  rbac: "Envoy's own RBAC",
  gateway: "gateway seat, audit on",
  "server-tcp": "server seat over TCP, audit on",
  "server-unix": "server seat over a Unix socket, audit on",
  "grpc-go": "bare grpc-go authorizer, TCP",
};

/** One run of the load generator. Times in milliseconds, CPU in microseconds a request. */
export interface Load {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly requests: number;
  readonly envoyCpuUs: number;
  /** 0 where there is no authorizer. */
  readonly authorizerCpuUs: number;
}

/** One way at one size in one round. */
export interface Sample {
  readonly round: number;
  readonly way: Way;
  readonly rules: number;
  /** As many as sixteen connections get through. */
  readonly closed: Load;
  /** 1,000 a second, whether or not answers come. */
  readonly open: Load;
  /** Resident memory afterwards, in MiB. */
  readonly envoyMiB: number;
  readonly authorizerMiB: number;
}

/** What `npm run bench:seats` measured. */
export interface SeatData {
  readonly commit: string;
  readonly command: string;
  readonly machine: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly samples: readonly Sample[];
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? 0) + high) / 2;
}

/** Of one way at one size, in the order of rounds. */
export function samplesOf({ samples }: SeatData, way: Way, rules: number): readonly Sample[] {
  return samples.filter((each) => each.way === way && each.rules === rules).toSorted((a, b) => a.round - b.round);
}

/** The median over rounds of a figure against the same of another way in the same round. */
export function paired(
  data: SeatData,
  [way, rules]: readonly [Way, number],
  [base, baseRules]: readonly [Way, number],
  compare: (one: Sample, other: Sample) => number,
): number {
  const others = samplesOf(data, base, baseRules);
  return median(
    samplesOf(data, way, rules).flatMap((one) => {
      const other = others.find(({ round }) => round === one.round);
      return other === undefined ? [] : [compare(one, other)];
    }),
  );
}
