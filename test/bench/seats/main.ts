/**
 * `npm run bench:seats`: throughput, latency, CPU and memory of a real Envoy with each way to decide. Writes data.json, docs/benchmarks.md (its
 * section "Seats") and docs/pictures/seats.svg; takes twenty minutes on an idle machine. What is measured, all with commas between:
 * `--only PART` direct (at each number of rules; fourteen minutes), connections (to the authorizer; four), upstream (a real one; three), the others stay as they are in the data;
 * `--ways ID` and `--rules N` some of these: that, like `--rounds` of less than 3, prints and writes nothing. `--rounds` and `--seconds` of each load.
 * `--data FILE` reads and writes that file in place of data.json and prints. `--only-report` measures nothing and makes section and plot anew.
 * Exit codes: 0 done, 1 failed or ended by a signal, 2 bad usage, 3 no Go.
 */
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { withSection } from "../page.ts";
import { DATA_FILE, formatData, readData, type SeatsData } from "./data.ts";
import { selectParts } from "./parts.ts";
import { plotSeats } from "./plot.ts";
import { findPrograms } from "./programs.ts";
import { seatsSection } from "./report.ts";
import { measureParts } from "./run.ts";

const PAGE = new URL("../../../docs/benchmarks.md", import.meta.url);
const PICTURE = new URL("../../../docs/pictures/seats.svg", import.meta.url);
/** Fewer rounds have no middle one. */
const ROUNDS = 3;
const LOADS = { warmUpSeconds: 4, connections: 32, openConnections: 16, openPerSecond: 1_000 };

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    ways: { type: "string" },
    rules: { type: "string" },
    rounds: { type: "string", default: String(ROUNDS) },
    seconds: { type: "string", default: "4" },
    data: { type: "string" },
    "only-report": { type: "boolean", default: false },
  },
});
const progress = (step: string): void => void process.stderr.write(`seats: ${step}\n`);

function end(why: string, code: number): never {
  progress(why);
  process.exit(code);
}

function listOf(text: string | undefined): readonly string[] | null {
  return text?.split(",").map((each) => each.trim()) ?? null;
}

function wholeNumber(name: "rounds" | "seconds"): number {
  const number = Number(values[name]);
  if (!Number.isInteger(number) || number < 1) end(`--${name} "${values[name]}" is no whole number above 0`, 2);
  return number;
}

/** Rounds of a few ways are no whole part, and one or two rounds have no middle one. */
const partial = values.ways !== undefined || values.rules !== undefined || wholeNumber("rounds") < ROUNDS;

async function dataBefore(): Promise<SeatsData> {
  if (values.data !== undefined) return existsSync(values.data) ? readData(values.data) : {};
  return partial ? {} : readData();
}

async function save(data: SeatsData): Promise<void> {
  if (values.data !== undefined) return writeFile(values.data, formatData(data));
  if (partial) return;
  await writeFile(DATA_FILE, formatData(data));
  await writeFile(PAGE, withSection(await readFile(PAGE, "utf8"), seatsSection(data)));
  if (data.direct !== undefined) await writeFile(PICTURE, plotSeats(data.direct));
}

/** The data with parts measured anew, saved as soon as each of them is there. */
async function measured(before: SeatsData): Promise<SeatsData> {
  const parts = selectParts({ parts: listOf(values.only), ways: listOf(values.ways), rules: listOf(values.rules) });
  if (typeof parts === "string") return end(parts, 2);
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const)
    process.once(name, () => stop.abort(new Error(`ended by ${name}`)));
  const { signal } = stop;
  let data = before;
  try {
    const programs = await findPrograms(signal, progress);
    if (typeof programs === "string") return end(`skipped, ${programs}`, 3);
    await measureParts(parts, {
      programs,
      settings: { ...LOADS, rounds: wholeNumber("rounds"), seconds: wholeNumber("seconds") },
      command: commandLine(),
      signal,
      progress,
      async measured(name, part) {
        data = { ...data, [name]: part };
        await save(data);
      },
    });
    return data;
  } catch (error) {
    if (signal.aborted) return end(String(signal.reason.message), 1);
    throw error;
  }
}

function commandLine(): string {
  const args = process.argv.slice(2);
  return ["npm run bench:seats", ...(args.length === 0 ? [] : ["--", ...args])].join(" ");
}

const before = await dataBefore();
const data = values["only-report"] ? before : await measured(before);
if (values["only-report"]) await save(data);
if (values.data !== undefined || partial) process.stdout.write(seatsSection(data));
