import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { REPOSITORY, runCli } from "../../cli/run-cli.ts";
import type { Outcome, Question, Suite } from "../suite.ts";
import type { OpenWay, Way } from "./way.ts";

/** The command line: `test --output json` on a suite, as a process of its own. `root` is the project that it runs from. */
export function cliWay(root: string = REPOSITORY): Way {
  return {
    name: "command line",
    async open(suite) {
      return suite.isolated ? null : await openTest(suite, root);
    },
  };
}

interface TestReport {
  readonly cases: readonly { readonly test: string; readonly name: string; readonly actual: Outcome }[];
}

async function openTest(suite: Suite, root: string): Promise<OpenWay> {
  const directory = await mkdtemp(join(tmpdir(), "sallyport-suite-"));
  try {
    for (const { path, bytes } of suite.files) {
      await mkdir(dirname(join(directory, path)), { recursive: true });
      await writeFile(join(directory, path), bytes);
    }
    const { stdout, stderr } = await runCli(["test", "--policies", directory, "--output", "json"], { root });
    if (stdout === "") throw new Error(`no report on ${suite.name}: ${stderr}`);
    const report: TestReport = JSON.parse(stdout);
    // Names may repeat, so answers are found by their place: the report has the order of the documents.
    const asked = suite.questions.filter((each) => each.written);
    const names = report.cases.map((each) => `${each.test}: ${each.name}`);
    if (names.join("\n") !== asked.map((each) => each.name).join("\n"))
      throw new Error(`the report on ${suite.name} has other cases`);
    return {
      async ask(question: Question) {
        if (!question.written) return null;
        return report.cases[asked.indexOf(question)]?.actual ?? null;
      },
      async close() {},
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
