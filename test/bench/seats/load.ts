import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import type { Load } from "./data.ts";

/** Where requests go, as whom. */
export interface LoadTarget {
  readonly fortio: string;
  readonly port: number;
  readonly host: string;
  readonly certificate: string;
  readonly key: string;
  readonly ca: string;
  readonly envoyPid: number;
  readonly authorizerPid: number | null;
}

/** What is read of fortio's JSON. */
interface FortioResult {
  readonly ActualQPS: number;
  readonly RetCodes: Readonly<Record<string, number>>;
  readonly DurationHistogram: {
    readonly Count: number;
    readonly Percentiles: readonly { readonly Percentile: number; readonly Value: number }[];
  };
}

const CONNECTIONS = 16;
const TICKS_PER_SECOND = 100;

/** Sends for so many seconds, so many a second or as many as get through (0). @throws when anything but 200 comes back */
export async function loadFor(target: LoadTarget, seconds: number, perSecond: number): Promise<Load> {
  const { envoyPid, authorizerPid } = target;
  const before = [await cpuSeconds(envoyPid), await cpuSeconds(authorizerPid)] as const;
  const result = await fortio(target, seconds, perSecond);
  const after = [await cpuSeconds(envoyPid), await cpuSeconds(authorizerPid)] as const;
  const codes = Object.keys(result.RetCodes);
  if (codes.join() !== "200") throw new Error(`answered ${JSON.stringify(result.RetCodes)}`);
  const { Count: requests, Percentiles } = result.DurationHistogram;
  const at = (percentile: number) => (Percentiles.find((each) => each.Percentile === percentile)?.Value ?? 0) * 1000;
  const cpuUs = (n: 0 | 1) => ((after[n] - before[n]) / requests) * 1e6;
  return {
    perSecond: result.ActualQPS,
    p50: at(50),
    p99: at(99),
    p999: at(99.9),
    requests,
    envoyCpuUs: cpuUs(0),
    authorizerCpuUs: cpuUs(1),
  };
}

async function fortio(target: LoadTarget, seconds: number, perSecond: number): Promise<FortioResult> {
  const { port, host, certificate, key, ca } = target;
  const args = [
    ...["load", "-quiet", "-json", "-", "-loglevel", "error", "-a=false"],
    ...["-c", `${CONNECTIONS}`, "-qps", `${perSecond}`, "-t", `${seconds}s`, "-r", "0.00001", "-p", "50,99,99.9"],
    ...["-cert", certificate, "-key", key, "-cacert", ca, "-resolve", "127.0.0.1", "-H", `Host: ${host}`],
    `https://localhost:${port}/v1/charges`,
  ];
  const child = spawn(target.fortio, args, { stdio: ["ignore", "pipe", "pipe"], timeout: (seconds + 30) * 1000 });
  let out = "";
  let said = "";
  child.stdout.on("data", (part) => (out += part));
  child.stderr.on("data", (part) => (said += part));
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`fortio ended with ${code}: ${said}`);
  return JSON.parse(out) as FortioResult;
}

async function cpuSeconds(pid: number | null): Promise<number> {
  if (pid === null) return 0;
  const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Resident memory in MiB. */
export async function residentMiB(pid: number | null): Promise<number> {
  if (pid === null) return 0;
  const [, kib = "0"] = /^VmRSS:\s+(\d+)/m.exec(await readFile(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kib) / 1024;
}
