import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { stringify } from "yaml";
import { aclDraft, HOSTS, ROLES } from "./acl-draft.ts";
import { judgeSmokescreen } from "./judge.ts";

const SOURCES = join(import.meta.dirname, "go");
const GO = { ...process.env, GOFLAGS: "-buildvcs=false -mod=readonly" };
const QUESTIONS = ROLES.flatMap((role) => HOSTS.map((host) => [role, host] as const));

/** Builds the program that asks Smokescreen's own code; says why it cannot be had. */
function build(file: string): string | null {
  if (spawnSync("go", ["version"], { stdio: "ignore" }).status !== 0) return "Go is not on the PATH";
  const options = { cwd: SOURCES, env: GO, encoding: "utf8", timeout: 240_000 } as const;
  if (spawnSync("go", ["mod", "download"], options).status !== 0) return "Smokescreen's module cannot be fetched";
  const { status, stderr } = spawnSync("go", ["build", "-o", file, "."], options);
  if (status !== 0) throw new Error(stderr);
  return null;
}

it("is judged as Smokescreen's own code decides", { timeout: 300_000 }, ({ skip }) => {
  const directory = mkdtempSync(join(tmpdir(), "sallyport-smokescreen-"));
  try {
    const program = join(directory, "judge");
    const why = build(program);
    if (why !== null) skip(`${why}: the naive judge stands alone`);
    const acls = fc.sample(fc.boolean().chain(aclDraft), { numRuns: 400, seed: 20_261_123 });
    const input = JSON.stringify(acls.map((acl) => ({ acl: stringify(acl), questions: QUESTIONS })));
    const { stdout, stderr, status } = spawnSync(program, { input, encoding: "utf8", timeout: 60_000, maxBuffer: 1e8 });
    expect(status, stderr).toBe(0);
    let compared = 0;
    for (const [i, answers] of (JSON.parse(stdout) as string[][]).entries()) {
      const acl = acls[i];
      if (acl === undefined || answers[0]?.startsWith("refused") === true) continue;
      const ours = QUESTIONS.map(([role, host]) => judgeSmokescreen(acl, role, host));
      expect(ours, stringify(acl)).toEqual(answers);
      compared += answers.length;
    }
    process.stdout.write(`${compared} decisions of Smokescreen compared\n`);
    expect(compared).toBeGreaterThan(5_000);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
