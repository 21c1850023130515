import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import grpcJs from "@grpc/grpc-js/package.json" with { type: "json" };
import { freePorts } from "../../../src/cli/demo/ports.ts";
import type { Child } from "../../../src/cli/demo/process.ts";
import { machine } from "../machine.ts";
import { writePolicyText } from "../policy-text.ts";
import { syntheticSet } from "../synthetic-set.ts";
import { type Cell, type CellParts, startCell } from "./cell.ts";
import { makeCertificates } from "./certificates.ts";
import type { CellData, PartData, RunSettings } from "./data.ts";
import { ANEW_WARM_UPS, type Part, type PartName, titleOf } from "./parts.ts";
import type { Programs } from "./programs.ts";
import { shapeAt } from "./question.ts";
import { measureRounds } from "./rounds.ts";
import { startUpstream } from "./upstream.ts";

const ROOT = new URL("../../..", import.meta.url).pathname;

/** What a run needs to know besides its parts. */
export interface Running {
  readonly programs: Programs;
  readonly settings: RunSettings;
  /** As it was given. */
  readonly command: string;
  readonly signal: AbortSignal;
  progress(step: string): void;
  /** Told of each part as soon as it is measured. */
  measured(name: PartName, data: PartData): Promise<void>;
}

/** Measures parts, one after the other: starts all cells of one, measures them in turn and stops them. */
export async function measureParts(parts: readonly Part[], running: Running): Promise<void> {
  const { programs, settings, command } = running;
  const directory = await mkdtemp(join(tmpdir(), "sallyport-seats-"));
  const versions = { node: process.version, "grpc-js": grpcJs.version, ...programs.versions };
  // Once: what is written on the way makes the sources differ from it.
  const head = { commit: commit(), command, machine: machine(), versions, settings };
  try {
    const certificates = await makeCertificates(directory);
    const policies = (rules: number): string => join(directory, `policies-${rules}`);
    for (const rules of new Set(parts.flatMap(({ stations }) => stations.map((station) => station.rules))))
      await writePolicyText(syntheticSet(shapeAt(rules)), policies(rules));
    for (const part of parts) {
      const own = join(directory, part.name);
      await mkdir(own);
      const cells = await measurePart(part, { directory: own, certificates, policies }, running);
      await running.measured(part.name, { ...head, cells });
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function measurePart(
  part: Part,
  shared: Pick<CellParts, "directory" | "certificates" | "policies">,
  running: Running,
): Promise<readonly CellData[]> {
  const all = Array.from({ length: running.settings.rounds }, (_, round) => round);
  if (!part.startsAnew) return measureStarted(part, all, shared, running);
  const { settings } = running;
  const longer = { ...settings, warmUpSeconds: settings.warmUpSeconds * ANEW_WARM_UPS };
  const data: CellData[] = [];
  for (const round of all) {
    const directory = join(shared.directory, `${round}`);
    await mkdir(directory);
    data.push(...(await measureStarted(part, [round], { ...shared, directory }, { ...running, settings: longer })));
  }
  return data;
}

/** Starts all cells, measures them in these rounds and stops them. */
async function measureStarted(
  { stations, forwards }: Part,
  rounds: readonly number[],
  shared: Pick<CellParts, "directory" | "certificates" | "policies">,
  { programs, settings, signal, progress }: Running,
): Promise<readonly CellData[]> {
  const ports = [...(await freePorts(2 * stations.length + 1))];
  const children: Child[] = [];
  const { envoy, grpcGo, fortio } = programs;
  const common = {
    ...shared,
    envoy,
    grpcGo,
    nextPort: (): number => ports.pop() ?? 0,
    started: (child: Child): void => void children.push(child),
  };
  try {
    const upstream = forwards ? await startUpstream(common) : null;
    const cells: Cell[] = [];
    for (const station of stations) {
      signal.throwIfAborted();
      progress(`starting ${titleOf(station)}`);
      cells.push(await startCell(station, { ...common, upstream }));
    }
    return await measureRounds(cells, rounds, {
      fortio,
      certificates: shared.certificates,
      settings,
      signal,
      progress,
    });
  } finally {
    await Promise.all(children.map((child) => child.stop()));
  }
}

/** What benchmarks write: it says nothing of the sources that were measured. */
const WRITTEN = ["docs/benchmarks.md", "docs/*.svg", "test/bench/seats/data.json"];

/** The commit that is measured, with `-dirty` where the sources are not as they were committed. */
function commit(): string {
  const git = (...args: readonly string[]): string => execFileSync("git", args, { cwd: ROOT, encoding: "utf8" }).trim();
  const changed = git("status", "--porcelain", "--", ".", ...WRITTEN.map((path) => `:(exclude)${path}`));
  return `${git("rev-parse", "HEAD")}${changed === "" ? "" : "-dirty"}`;
}
