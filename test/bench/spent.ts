import type { Child } from "../../src/cli/demo/process.ts";
import { type AskFlags, askApart, decidedOf } from "./overload/ask.ts";
import { cpuMicros } from "./process-usage.ts";

/** What a server spent while it was asked. */
export interface Spent {
  readonly cpuMicros: number;
  readonly asked: number;
  readonly decided: number;
  readonly seconds: number;
}

/** Asks a server from a process of its own, as `askApart`, and counts what it spends meanwhile. */
export async function spend(child: Child, address: string, flags: AskFlags): Promise<Spent> {
  const pid = child.process.pid ?? 0;
  const before = await cpuMicros(pid);
  const seen = await askApart(address, flags);
  const { asked, seconds } = seen;
  return { cpuMicros: (await cpuMicros(pid)) - before, asked, decided: decidedOf(seen), seconds };
}

/** Of all of them together: collections of garbage and compressed files, which come in few rounds, count with their share. */
export function microsecondsACheck(all: readonly Spent[]): number {
  return sum(all, "cpuMicros") / sum(all, "asked");
}

export function checksASecond(all: readonly Spent[]): number {
  return sum(all, "decided") / sum(all, "seconds");
}

function sum(all: readonly Spent[], key: keyof Spent): number {
  return all.reduce((total, each) => total + each[key], 0);
}

/** What a kind of server spent: for each process that was started of it, its rounds. */
export type Starts = readonly (readonly Spent[])[];

/**
 * A figure of one kind of server over that of another, and in brackets the least and the greatest of the starts. A process keeps what V8 made of its code in the first seconds, and two
 * of the same program differ by up to a fifth in what they spend: so several of each are started.
 */
export function ratioText(own: Starts, base: Starts, figure: (all: readonly Spent[]) => number): string {
  const each = own.map((rounds, start) => figure(rounds) / figure(base[start] ?? rounds));
  const all = figure(own.flat()) / figure(base.flat());
  return `${all.toFixed(2)} × (${Math.min(...each).toFixed(2)}–${Math.max(...each).toFixed(2)})`;
}
