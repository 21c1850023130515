/**
 * `npm run bench:seats`: throughput, latency, CPU and memory of a real Envoy with each way to decide, at each number of rules. Writes data.json,
 * docs/benchmarks.md (its section "Seats") and docs/pictures/seats.svg; takes a quarter of an hour. `--quick` is one round of a second
 * each, which prints and writes nothing unless `--save` is given. `--only-report` measures nothing and makes section and plot of data.json anew.
 * Exit codes: 0 done, 1 failed or ended by a signal, 3 no Go.
 */
import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { withSection } from "../page.ts";
import { DATA_FILE, formatData, type RunSettings, readData, type SeatsData } from "./data.ts";
import { plotSeats } from "./plot.ts";
import { findPrograms } from "./programs.ts";
import { seatsSection } from "./report.ts";
import { measureSeats } from "./run.ts";

const PAGE = new URL("../../../docs/benchmarks.md", import.meta.url);
const PICTURE = new URL("../../../docs/pictures/seats.svg", import.meta.url);
const FULL: RunSettings = {
  rounds: 3,
  seconds: 5,
  warmUpSeconds: 5,
  connections: 32,
  openConnections: 16,
  openPerSecond: 1_000,
};
const QUICK: RunSettings = { ...FULL, rounds: 1, seconds: 1, warmUpSeconds: 1 };

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    save: { type: "boolean", default: false },
    "only-report": { type: "boolean", default: false },
  },
});
const progress = (step: string): void => void process.stderr.write(`seats: ${step}\n`);

async function measured(): Promise<SeatsData> {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const)
    process.once(name, () => stop.abort(new Error(`ended by ${name}`)));
  const { signal } = stop;
  const programs = await findPrograms(signal, progress);
  if (typeof programs === "string") return end(`skipped, ${programs}`, 3);
  const command = `npm run bench:seats${values.quick ? " -- --quick --save" : ""}`;
  try {
    return await measureSeats(programs, values.quick ? QUICK : FULL, command, signal, progress);
  } catch (error) {
    if (signal.aborted) return end(String(signal.reason.message), 1);
    throw error;
  }
}

function end(why: string, code: number): never {
  progress(why);
  process.exit(code);
}

const data = values["only-report"] ? await readData() : await measured();
const section = seatsSection(data);
if (values.quick && !values.save) process.stdout.write(section);
else {
  await writeFile(DATA_FILE, formatData(data));
  await writeFile(PAGE, withSection(await readFile(PAGE, "utf8"), section));
  await writeFile(PICTURE, plotSeats(data));
}
