/**
 * `npm run bench:seats`: what deciding costs in each seat, against no authorization, Envoy's own RBAC and a bare grpc-go authorizer. Writes
 * test/bench/seats/data.json, and from it the section Seats of docs/benchmarks.md and docs/pictures/seats.svg. `--report` makes those anew from the
 * data; `--quick` measures for a second each and writes nothing. Needs Go. About twelve minutes on a machine that does nothing else.
 */
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { defaultSearch, findEnvoy } from "../../../src/cli/demo/envoy-binary.ts";
import { createAuthority } from "../../../src/cli/demo/pki.ts";
import type { Child } from "../../../src/cli/demo/process.ts";
import { type Sample, type SeatData, SIZES, TITLES, WAYS } from "./data.ts";
import { loadFor, residentMiB } from "./load.ts";
import { seatsPlot } from "./plot.ts";
import { buildPrograms, type Programs } from "./programs.ts";
import { type Stand, startStands } from "./stand.ts";
import { seatsSection } from "./table.ts";

const { values } = parseArgs({ options: { quick: { type: "boolean" }, report: { type: "boolean" } } });
const ROUNDS = values.quick ? 1 : 3;
const SECONDS = values.quick ? 1 : 5;
const DATA = new URL("data.json", import.meta.url);
const PAGE = new URL("../../../docs/benchmarks.md", import.meta.url);
const PICTURE = new URL("../../../docs/pictures/seats.svg", import.meta.url);

const say = (text: string): void => void process.stderr.write(`${text}\n`);

async function measure(programs: Programs): Promise<readonly Sample[]> {
  const envoy = await findEnvoy(defaultSearch());
  const directory = await mkdtemp(join(tmpdir(), "sallyport-seats-"));
  const mesh = await createAuthority();
  const children: Child[] = [];
  try {
    const stands: Stand[] = [];
    for (const rules of SIZES) {
      say(`starting all ways with ${rules.toLocaleString("en")} rules`);
      stands.push(...(await startStands(WAYS, rules, { envoy, programs, mesh, directory }, children)));
    }
    for (const [n, { way, rules, target }] of stands.entries()) {
      say(`warming up ${n + 1} of ${stands.length}: ${TITLES[way]}, ${rules} rules`);
      await loadFor(target, SECONDS / 2, 0);
    }
    const samples: Sample[] = [];
    for (let round = 1; round <= ROUNDS; round += 1) {
      for (const stand of stands) {
        const sample = await measureOne(stand, round);
        samples.push(sample);
        const { closed, open } = sample;
        say(
          `${samples.length} of ${ROUNDS * stands.length}: ${TITLES[stand.way]}, ${stand.rules} rules: ${Math.round(closed.perSecond)}/s, p99 ${open.p99.toFixed(2)} ms`,
        );
      }
    }
    return samples;
  } finally {
    await Promise.all(children.map((child) => child.stop()));
    await rm(directory, { recursive: true, force: true });
  }
}

async function measureOne({ way, rules, target }: Stand, round: number): Promise<Sample> {
  const closed = await loadFor(target, SECONDS, 0);
  const open = await loadFor(target, SECONDS, 1_000);
  const [envoyMiB, authorizerMiB] = [await residentMiB(target.envoyPid), await residentMiB(target.authorizerPid)];
  return { round, way, rules, closed, open, envoyMiB, authorizerMiB };
}

async function report(data: SeatData): Promise<void> {
  const sections = (await readFile(PAGE, "utf8")).split(/^(?=## )/m).filter((each) => !each.startsWith("## Seats\n"));
  await writeFile(PAGE, `${sections.map((each) => `${each.trimEnd()}\n`).join("\n")}\n${seatsSection(data)}`);
  await writeFile(PICTURE, seatsPlot(data));
}

if (values.report) await report(JSON.parse(await readFile(DATA, "utf8")) as SeatData);
else {
  const programs = buildPrograms();
  const git = (...args: string[]) => execFileSync("git", args, { encoding: "utf8" }).trim();
  const data: SeatData = {
    commit: git("rev-parse", "--short=12", "HEAD") + (git("status", "--porcelain", "src") === "" ? "" : " and changes"),
    command: "npm run bench:seats",
    machine: `${cpus().length} × ${cpus()[0]?.model.trim() ?? "unknown"}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux`,
    versions: { Node: process.version.slice(1), Envoy: "1.40.0", ...programs.versions },
    samples: await measure(programs),
  };
  if (values.quick) process.stdout.write(seatsSection(data));
  else {
    await writeFile(DATA, `${JSON.stringify(data, null, 1)}\n`);
    await report(data);
  }
}
