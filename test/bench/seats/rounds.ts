import { cpuMicros, residentBytes } from "../process-usage.ts";
import type { Cell } from "./cell.ts";
import type { Certificates } from "./certificates.ts";
import type { CellData, Measured, RunSettings } from "./data.ts";
import { type Load, sendLoad } from "./fortio.ts";

/** What measuring needs besides the cells. */
export interface Measuring {
  readonly fortio: string;
  readonly certificates: Certificates;
  readonly settings: RunSettings;
  readonly signal: AbortSignal;
  progress(step: string): void;
}

/**
 * Warms all cells up, then measures each once a round. Every other round goes through them backwards, so that none always follows the same
 * one, nor is later than another throughout.
 */
export async function measureRounds(cells: readonly Cell[], measuring: Measuring): Promise<readonly CellData[]> {
  const { settings, progress } = measuring;
  const { rounds, seconds, warmUpSeconds, connections, openConnections, openPerSecond } = settings;
  const closed: Load = { connections, perSecond: 0, seconds };
  const open: Load = { connections: openConnections, perSecond: openPerSecond, seconds };
  for (const cell of cells) {
    progress(`warming up ${titleOf(cell)}`);
    await send(cell, { ...closed, seconds: warmUpSeconds }, measuring);
  }
  const data: CellData[] = [];
  const total = rounds * cells.length;
  const begun = performance.now();
  for (let round = 0; round < rounds; round += 1) {
    for (const cell of round % 2 === 0 ? cells : cells.toReversed()) {
      const done = data.length;
      const left =
        done === 0 ? total * (2 * seconds + 1) : ((performance.now() - begun) / 1_000 / done) * (total - done);
      const where = `${done + 1} of ${total}, about ${Math.ceil(left / 60)} min left`;
      progress(`round ${round + 1} of ${rounds}, ${titleOf(cell)} (${where})`);
      data.push({
        round,
        way: cell.way.id,
        rules: cell.rules,
        closed: await measure(cell, closed, measuring),
        open: await measure(cell, open, measuring),
        envoyBytes: await residentBytes(pidOf(cell.envoy)),
        authorizerBytes: cell.authorizer === null ? 0 : await residentBytes(pidOf(cell.authorizer)),
      });
    }
  }
  return data;
}

function titleOf({ way, rules }: Cell): string {
  return `${way.title}, ${rules.toLocaleString("en")} rules`;
}

async function send(cell: Cell, load: Load, { fortio, certificates, signal }: Measuring) {
  try {
    return await sendLoad(fortio, cell, load, certificates, signal);
  } catch (error) {
    throw new Error(`${titleOf(cell)}: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}

async function measure(cell: Cell, load: Load, measuring: Measuring): Promise<Measured> {
  const { envoy, authorizer } = cell;
  const used = async (): Promise<readonly [number, number]> => [
    await cpuMicros(pidOf(envoy)),
    authorizer === null ? 0 : await cpuMicros(pidOf(authorizer)),
  ];
  const before = await used();
  const seen = await send(cell, load, measuring);
  const after = await used();
  return {
    ...seen,
    envoyMicros: (after[0] - before[0]) / seen.requests,
    authorizerMicros: (after[1] - before[1]) / seen.requests,
  };
}

function pidOf({ process }: Cell["envoy"]): number {
  if (process.pid === undefined) throw new Error("a process that is measured has ended");
  return process.pid;
}
