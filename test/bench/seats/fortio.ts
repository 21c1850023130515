import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Certificates } from "./certificates.ts";
import type { Question } from "./question.ts";

const run = promisify(execFile);

/** How requests are sent. */
export interface Load {
  readonly connections: number;
  /** Requests a second, whether or not answers come; 0 for as many as are answered. */
  readonly perSecond: number;
  readonly seconds: number;
}

/** What fortio saw. */
export interface Seen {
  readonly requests: number;
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

/** The part of fortio's result that is read. */
interface Result {
  readonly ActualQPS: number;
  readonly RetCodes: Readonly<Record<string, number>>;
  readonly DurationHistogram: {
    readonly Count: number;
    readonly Percentiles: readonly { readonly Percentile: number; readonly Value: number }[];
  };
}

/** Sends the question with its caller's certificate, HTTP/1.1. @throws unless every answer is 200 */
export async function sendLoad(
  fortio: string,
  { port, question }: { readonly port: number; readonly question: Question },
  { connections, perSecond, seconds }: Load,
  certificates: Certificates,
  signal: AbortSignal,
): Promise<Seen> {
  const { certificate, key } = await certificates.workload(question.principal);
  const flags = {
    c: connections,
    qps: perSecond,
    t: `${seconds}s`,
    p: "50,99,99.9",
    // Seconds: the finest step of latencies.
    r: 0.00001,
    json: "-",
    a: false,
    loglevel: "error",
    cert: certificate,
    key,
    cacert: certificates.ca,
    resolve: "127.0.0.1",
    H: `Host: ${question.host}`,
    // Connections send one after the other, not all at the same moment.
    uniform: perSecond > 0,
  };
  const args = Object.entries(flags).map(([name, value]) => `-${name}=${value}`);
  const limit = { signal, timeout: (seconds + 60) * 1_000, maxBuffer: 1 << 24 };
  const { stdout } = await run(fortio, ["load", ...args, `https://localhost:${port}${question.path}`], limit);
  const { ActualQPS, RetCodes, DurationHistogram: times } = JSON.parse(stdout) as Result;
  if (Object.keys(RetCodes).join() !== "200") throw new Error(`answers were ${JSON.stringify(RetCodes)}`);
  const percentile = (wanted: number): number => {
    const found = times.Percentiles.find(({ Percentile }) => Percentile === wanted);
    if (found === undefined) throw new Error(`fortio tells no p${wanted}`);
    return found.Value * 1_000;
  };
  return {
    requests: times.Count,
    perSecond: ActualQPS,
    p50: percentile(50),
    p99: percentile(99),
    p999: percentile(99.9),
  };
}
