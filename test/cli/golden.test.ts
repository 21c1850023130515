import { describe, expect, it, onTestFinished, vi } from "vitest";
import { compareGolden, normalised, refuseOrphans } from "./golden-cases/golden-files.ts";
import { type GoldenCase, type GoldenCases, readCases } from "./golden-cases/read-cases.ts";
import { furnish, textsIn } from "./golden-cases/scratch.ts";
import { temporaryDirectory } from "./policy-dir.ts";
import { type CliRun, REPOSITORY, run } from "./run-cli.ts";
import { runHere } from "./run-here.ts";

const EXTENSIONS: Readonly<Record<string, string>> = {
  ...{ csv: "csv", json: "json", junit: "xml", markdown: "md", mermaid: "mmd", sarif: "json" },
};

/** What a program printed in the form that its options name. */
function extensionOf(args: readonly string[]): string {
  const formats = args.filter((_, index) => ["-o", "--output"].includes(args[index - 1] ?? ""));
  return formats.map((each) => EXTENSIONS[each]).find((each) => each !== undefined) ?? "txt";
}

function runCase({ command }: GoldenCases, one: GoldenCase, directory: string): Promise<CliRun> {
  const args = [...command.split(" ").filter((each) => each !== ""), ...one.args];
  if (one.stdin === undefined && !one.apart) return runHere(args, directory);
  const main = [`${REPOSITORY}/src/cli/main.ts`, ...args];
  return run(process.execPath, main, directory, {}, one.stdin);
}

async function judge(cases: GoldenCases, one: GoldenCase): Promise<void> {
  vi.stubEnv("GITHUB_WORKSPACE", undefined);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  const directory = await temporaryDirectory({});
  await furnish(directory, cases, one);
  for (const args of one.before) {
    const { code, stderr } = await runHere(args, directory);
    expect(code, stderr).toBe(0);
  }
  const before = textsIn(directory);
  const { code, stdout, stderr } = await runCase(cases, one, directory);
  expect({ code, stderr: code === one.exit ? "" : stderr }).toEqual({ code: one.exit, stderr: "" });
  const changed = [...textsIn(directory)].filter(([path, text]) => before.get(path) !== text);
  const given = [
    [`stdout.${extensionOf(one.args)}`, stdout],
    ["stderr.txt", stderr],
    ...changed.map(([path, text]) => [`files/${path}`, text]),
  ] as const;
  const texts = given
    .filter(([, text]) => text !== "")
    .map(([path, text]) => [path, normalised(text, directory)] as const);
  compareGolden(cases.folder, one.name, new Map(texts));
}

describe.each(readCases())("sallyport $command", (cases) => {
  it.each(cases.cases)("$name", (one) => judge(cases, one));

  it("has golden files of these cases only", () => {
    // help.test.ts sees to that one.
    refuseOrphans(cases.folder, ["help", ...cases.cases.map(({ name }) => name)]);
  });
});
