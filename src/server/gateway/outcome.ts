import type { Outcome } from "../../audit/record.ts";
import type { LogEntry } from "./decode-log-message.ts";

/** Envoy's short names of response flags, by their number in `ResponseFlags`. @see protos/envoy/data/accesslog/v3/accesslog.proto */
const FLAGS: ReadonlyMap<number, string> = new Map([
  [1, "LH"],
  [2, "UH"],
  [3, "UT"],
  [4, "LR"],
  [5, "UR"],
  [6, "UF"],
  [7, "UC"],
  [8, "UO"],
  [9, "NR"],
  [10, "DI"],
  [11, "FI"],
  [12, "RL"],
  [14, "RLSE"],
  [15, "DC"],
  [16, "URX"],
  [17, "SI"],
  [18, "IH"],
  [19, "DPE"],
  [20, "UMSDR"],
  [21, "RFCF"],
  [22, "NFCF"],
  [23, "DT"],
  [24, "UPE"],
  [25, "NC"],
  [26, "OM"],
  [27, "DF"],
  [28, "DR"],
]);

/** What came of a request, by Envoy's account. A flag that is newer than this is told by its number. */
export function outcomeOf(entry: LogEntry): Outcome {
  return {
    status: entry.status,
    details: entry.details || null,
    flags: entry.flags.map((flag) => FLAGS.get(flag) ?? `flag-${flag}`),
    upstream: entry.address === "" ? null : `${entry.address}:${entry.port}`,
    receivedBytes: entry.receivedBytes,
    sentBytes: entry.sentBytes,
    durationMs: entry.seconds * 1000 + Math.round(entry.nanos / 1_000_000),
  };
}
