import { AUTHORIZER } from "../../../src/generate/envoy/clusters.ts";
import { cpuMicros, residentBytes } from "../process-usage.ts";
import type { Cell } from "./cell.ts";
import type { Certificates } from "./certificates.ts";
import type { CellData, Measured, RunSettings } from "./data.ts";
import { connectionsTo } from "./envoy-admin.ts";
import { type Load, sendLoad } from "./fortio.ts";
import { titleOf } from "./parts.ts";

/** What measuring needs besides the cells. */
export interface Measuring {
  readonly fortio: string;
  readonly certificates: Certificates;
  readonly settings: RunSettings;
  readonly signal: AbortSignal;
  progress(step: string): void;
}

/**
 * Warms all cells up, then in each round puts one load after the other on each of them, so that cells are compared under a load at nearly the
 * same time. Every other round goes through them backwards: none always follows the same one, nor is later than another throughout.
 */
export async function measureRounds(
  cells: readonly Cell[],
  rounds: readonly number[],
  measuring: Measuring,
): Promise<readonly CellData[]> {
  const { seconds, warmUpSeconds, connections, openConnections, openPerSecond } = measuring.settings;
  const closed: Load = { connections, perSecond: 0, seconds };
  const open: Load = { connections: openConnections, perSecond: openPerSecond, seconds };
  for (const cell of cells) {
    measuring.progress(`warming up ${titleOf(cell)}`);
    await send(cell, { ...closed, seconds: warmUpSeconds }, measuring);
  }
  const step = countSteps(rounds.length * cells.length * 2, seconds);
  const under = async (load: Load, round: number): Promise<ReadonlyMap<Cell, Measured>> => {
    const found = new Map<Cell, Measured>();
    for (const cell of round % 2 === 0 ? cells : cells.toReversed()) {
      const rate = load.perSecond === 0 ? "as fast as it answers" : `${load.perSecond.toLocaleString("en")} a second`;
      measuring.progress(`round ${round + 1} of ${measuring.settings.rounds}, ${titleOf(cell)}, ${rate} (${step()})`);
      found.set(cell, await measure(cell, load, measuring));
    }
    return found;
  };
  const data: CellData[] = [];
  for (const round of rounds) {
    const [atFull, atRate] = [await under(closed, round), await under(open, round)];
    for (const cell of cells) data.push(await dataOf(round, cell, atFull.get(cell), atRate.get(cell)));
  }
  return data;
}

async function dataOf(round: number, cell: Cell, closed?: Measured, open?: Measured): Promise<CellData> {
  if (closed === undefined || open === undefined) throw new Error(`${titleOf(cell)} was not measured`);
  const { way, rules, envoy, authorizer } = cell;
  const envoyBytes = await residentBytes(pidOf(envoy));
  const authorizerBytes = authorizer === null ? 0 : await residentBytes(pidOf(authorizer));
  const authorizerConnections = way.decides === "asks" ? await connectionsTo(AUTHORIZER, cell.adminSocket) : 0;
  return { round, way: way.id, rules, closed, open, envoyBytes, authorizerBytes, authorizerConnections };
}

/** Says at each step how far it is, and from the second on how long the rest will take at this pace. */
function countSteps(total: number, seconds: number): () => string {
  const begun = performance.now();
  let done = 0;
  return () => {
    const each = done === 0 ? seconds : (performance.now() - begun) / 1_000 / done;
    const left = Math.ceil((each * (total - done)) / 60);
    done += 1;
    return `${done} of ${total}, about ${left} min left`;
  };
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
