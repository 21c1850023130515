/**
 * `npm run bench:soak`: one worker of a real Envoy decides by the filter, as fast as answers come, until it has decided 10,000,000 requests (or as many as
 * `--requests` says). Writes what Envoy and the server held in memory on the way into docs/benchmarks.md; with another number of requests it prints that only.
 * Takes a quarter of an hour on an idle machine. Exit codes: 0 done, 1 failed, 3 no Go.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { freePorts } from "../../../src/cli/demo/ports.ts";
import type { Child } from "../../../src/cli/demo/process.ts";
import { table, withSection } from "../page.ts";
import { writePolicyText } from "../policy-text.ts";
import { residentBytes } from "../process-usage.ts";
import { syntheticSet } from "../synthetic-set.ts";
import { startCell } from "./cell.ts";
import { makeCertificates } from "./certificates.ts";
import { sendLoad } from "./fortio.ts";
import { findPrograms } from "./programs.ts";
import { shapeAt } from "./question.ts";
import { GATEWAY } from "./ways.ts";

const PAGE = new URL("../../../docs/benchmarks.md", import.meta.url);
const WHOLE = 10_000_000;
const STEPS = 10;
const RULES = 1_000;
const MIB = 1024 * 1024;

const { values } = parseArgs({ options: { requests: { type: "string", default: String(WHOLE) } } });
const wanted = Number(values.requests);
const progress = (step: string): void => void process.stderr.write(`soak: ${step}\n`);
const { signal } = new AbortController();
const programs = await findPrograms(signal, progress);
if (typeof programs === "string") {
  progress(`skipped, ${programs}`);
  process.exit(3);
}

const directory = await mkdtemp(join(tmpdir(), "sallyport-soak-"));
const children: Child[] = [];
try {
  const certificates = await makeCertificates(directory);
  await writePolicyText(syntheticSet(shapeAt(RULES)), join(directory, "policies"));
  const ports = [...(await freePorts(2))];
  const { envoy, grpcGo, fortio } = programs;
  const cell = await startCell(
    { way: GATEWAY, rules: RULES },
    {
      envoy,
      grpcGo,
      directory,
      certificates,
      upstream: null,
      policies: () => join(directory, "policies"),
      nextPort: () => ports.pop() ?? 0,
      started: (child) => void children.push(child),
    },
  );
  const rows: string[][] = [];
  const pids = [cell.envoy.process.pid ?? 0, cell.authorizer?.process.pid ?? 0];
  const note = async (requests: number): Promise<void> => {
    const held = await Promise.all(pids.map(residentBytes));
    rows.push([requests.toLocaleString("en"), ...held.map((bytes) => `${(bytes / MIB).toFixed(1)} MiB`)]);
    progress(rows.at(-1)?.join(", ") ?? "");
  };
  let sent = 0;
  for (let step = 1; step <= STEPS; step += 1) {
    while (sent < (wanted * step) / STEPS) {
      const load = { connections: 32, perSecond: 0, seconds: Math.min(20, Math.ceil(wanted / 100_000)) };
      sent += (await sendLoad(fortio, cell, load, certificates, signal)).requests;
    }
    await note(sent);
  }
  const section = `## The filter's memory
Written by \`npm run bench:soak\`: one worker, ${RULES.toLocaleString("en")} rules, 32 connections, as fast as answers come; every answer was 200. What the processes hold (RSS) after so many requests.

${table(["requests decided by the filter", "Envoy", "server, which records them"], rows)}
`;
  if (wanted === WHOLE) await writeFile(PAGE, withSection(await readFile(PAGE, "utf8"), section));
  else process.stdout.write(section);
} finally {
  await Promise.all(children.map((child) => child.stop()));
  await rm(directory, { recursive: true, force: true });
}
