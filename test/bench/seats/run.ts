import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Child, freePorts } from "../../../src/cli/demo/process.ts";
import { machine } from "../machine.ts";
import { writePolicyText } from "../policy-text.ts";
import { syntheticSet } from "../synthetic-set.ts";
import { type Cell, startCell } from "./cell.ts";
import { makeCertificates } from "./certificates.ts";
import type { RunSettings, SeatsData } from "./data.ts";
import type { Programs } from "./programs.ts";
import { shapeAt } from "./question.ts";
import { measureRounds } from "./rounds.ts";
import { SIZES, WAYS } from "./ways.ts";

/** Starts every way at every size, measures them in turn and stops them. */
export async function measureSeats(
  programs: Programs,
  settings: RunSettings,
  command: string,
  signal: AbortSignal,
  progress: (step: string) => void,
): Promise<SeatsData> {
  const directory = await mkdtemp(join(tmpdir(), "sallyport-seats-"));
  const children: Child[] = [];
  try {
    const certificates = await makeCertificates(directory);
    const policies = (rules: number): string => join(directory, `policies-${rules}`);
    for (const rules of SIZES) await writePolicyText(syntheticSet(shapeAt(rules)), policies(rules));
    const ports = [...(await freePorts(2 * SIZES.length * WAYS.length))];
    const cells: Cell[] = [];
    const { envoy, fortio, bare, versions } = programs;
    for (const rules of SIZES) {
      for (const way of WAYS) {
        signal.throwIfAborted();
        progress(`starting ${way.title}, ${rules.toLocaleString("en")} rules`);
        const nextPort = (): number => ports.pop() ?? 0;
        const started = (child: Child): void => void children.push(child);
        cells.push(await startCell(way, rules, { envoy, bare, directory, certificates, policies, nextPort, started }));
      }
    }
    return {
      commit: commit(),
      command,
      machine: machine(),
      versions: { node: process.version, ...versions },
      settings,
      cells: await measureRounds(cells, { fortio, certificates, settings, signal, progress }),
    };
  } finally {
    await Promise.all(children.map((child) => child.stop()));
    await rm(directory, { recursive: true, force: true });
  }
}

function commit(): string {
  const args = ["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"];
  return execFileSync("git", args, { cwd: import.meta.dirname, encoding: "utf8" }).trim();
}
