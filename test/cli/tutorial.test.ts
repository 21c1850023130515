import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compileBundle } from "../../src/bundle/compile.ts";
import { bundleRevision } from "../../src/bundle/revision.ts";
import { type Child, startChild, waitUntil } from "../../src/cli/demo/process.ts";
import { createCanonicaliser } from "../../src/pdp/canonicaliser.ts";
import { readEngineModule } from "../../src/pdp/engine-module.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import { readPolicyDirectory } from "../../src/server/read-policies.ts";
import { REPOSITORY, run, writeShim } from "./run-cli.ts";

/** Something that the page has its reader do: write a file, run a command, or compare what the last one printed. */
type Step =
  | { readonly kind: "file"; readonly what: string; readonly text: string }
  | { readonly kind: "command"; readonly what: string; readonly exit: number }
  | { readonly kind: "output"; readonly what: string; readonly lines: readonly string[] };

const PAGE = readFileSync(join(REPOSITORY, "docs/tutorial.md"), "utf8");
/** Of a server that starts or takes over policies, on a machine that has other things to do. */
const LIMIT_MS = 60_000;

const steps: Step[] = [...PAGE.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)].flatMap(([, info = "", text = ""]): Step[] => {
  const lines = text.trimEnd().split("\n");
  const file = /^# (\S+\.yaml)$/.exec(lines[0] ?? "")?.[1];
  if (info === "yaml" && file !== undefined) return [{ kind: "file", what: `write ${file}`, text }];
  if (info === "text") return [{ kind: "output", what: `prints ${lines[0]}`, lines }];
  if (info !== "sh tutorial") return [];
  return lines.map((line) => {
    const [, what = line, exit = "0"] = /^(.*?)(?:\s+# exit (\d+))?$/.exec(line) ?? [];
    return { kind: "command", what, exit: Number(exit) };
  });
});

describe("the tutorial", () => {
  const directory = mkdtempSync(join(tmpdir(), "sallyport-tutorial-"));
  const path = `${directory}/bin${delimiter}${process.env.PATH}`;
  let server: Child | null = null;
  let printed = "";
  let failed = false;

  beforeAll(() => writeShim(join(directory, "bin")));
  afterAll(async () => {
    await server?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  /** Waits until the server decides by the policies that lie there now; its trail says so. */
  async function inForce(): Promise<void> {
    const files = await readPolicyDirectory(join(directory, "policies"));
    const { set } = loadPolicySet(files, createCanonicaliser(readEngineModule()));
    if (set === null) throw new Error("the policies are not valid");
    const revision = bundleRevision(compileBundle(set));
    const trail = join(directory, "audit.jsonl");
    const isLoaded = (line: string) => line.includes('"policies-loaded"') && line.includes(revision);
    const lines = () => (existsSync(trail) ? readFileSync(trail, "utf8").split("\n") : []);
    await waitUntil(`revision ${revision}`, () => lines().some(isLoaded), LIMIT_MS, server ?? undefined);
  }

  async function take(step: Step): Promise<void> {
    if (step.kind === "file") {
      const file = join(directory, step.what.slice("write ".length));
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, step.text);
    } else if (step.kind === "output") {
      // A `…` stands for what differs from run to run.
      for (const line of step.lines) {
        const pattern = line.split("…").map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
        expect(printed).toMatch(new RegExp(`^${pattern.join(".*")}$`, "m"));
      }
    } else if (step.what.endsWith(" &")) {
      const command = step.what.slice(0, -" &".length);
      server = startChild("sh", ["-c", `cd '${directory}' && exec ${command}`], { ...process.env, PATH: path });
      await inForce();
    } else {
      if (step.what.includes("--server")) await inForce();
      const { code, stdout, stderr } = await run("sh", ["-c", step.what], directory, { PATH: path });
      printed = stdout;
      expect({ code, stderr, stdout }).toEqual({ code: step.exit, stderr, stdout });
      if (step.exit === 0) expect(stderr).not.toContain("error");
    }
  }

  it("has a reader do all there is to do", () => {
    expect(steps.filter(({ kind }) => kind === "command").length).toBeGreaterThan(30);
    expect(steps.filter(({ kind }) => kind === "file")).toHaveLength(3);
    expect(steps.filter(({ kind }) => kind === "output")).toHaveLength(3);
  });

  it.each(steps)("$what", { timeout: 2 * LIMIT_MS }, async (step) => {
    // What comes after a step that failed means nothing.
    expect(failed).toBe(false);
    failed = true;
    await take(step);
    failed = false;
  });
});
