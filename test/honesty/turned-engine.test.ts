import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCanonicaliser } from "../../src/pdp/canonicaliser.ts";
import { readEngineModule } from "../../src/pdp/engine-module.ts";
import { REPOSITORY, run } from "../cli/run-cli.ts";
import { loadSuites } from "../conformance/suite.ts";
import { cliWay } from "../conformance/ways/cli-way.ts";
import { engineWay } from "../conformance/ways/engine-way.ts";
import { grpcWay } from "../conformance/ways/grpc-way.ts";
import { pdpWay } from "../conformance/ways/pdp-way.ts";
import { disagreements, type Way } from "../conformance/ways/way.ts";

/**
 * Conformance can fail: with deny-over-allow turned round in the engine's source, every way to decide that uses the
 * engine gives wrong answers. The turned engine is built from a copy of the project in a directory of its own.
 */
const MARK = "deny beats allow";

let copy = "";

beforeAll(async () => {
  copy = mkdtempSync(join(tmpdir(), "sallyport-turned-"));
  for (const name of ["src", "scripts", "protos", "package.json"])
    cpSync(join(REPOSITORY, name), join(copy, name), { recursive: true });
  symlinkSync(join(REPOSITORY, "node_modules"), join(copy, "node_modules"));
  turnRound(join(copy, "src/engine"));
  const built = await run(process.execPath, [join(copy, "scripts/build-wasm.ts"), "--force"], copy);
  expect(built).toMatchObject({ code: 0 });
}, 120_000);

afterAll(() => rmSync(copy, { recursive: true, force: true }));

/** Turns round the one condition above the mark: a deny then counts only where no allow matches. */
function turnRound(engine: string): void {
  const condition = /if \(\((\w+) & rules\.DENIES\) != 0\) \{(?=\n\s*\/\/ deny beats allow\n)/g;
  const marked = readdirSync(engine)
    .filter((name) => name.endsWith(".ts"))
    .map((name) => ({ path: join(engine, name), text: readFileSync(join(engine, name), "utf8") }))
    .filter(({ text }) => text.includes(MARK));
  expect(marked).toHaveLength(1);
  for (const { path, text } of marked) {
    expect(text.match(condition)).toHaveLength(1);
    writeFileSync(path, text.replace(condition, "if (($1 & rules.DENIES) != 0 && ($1 & rules.ALLOWS) == 0) {"));
  }
}

describe("with deny-over-allow turned round", () => {
  const suite = loadSuites(createCanonicaliser(readEngineModule())).find(({ name }) => name === "deny-beats-allow");
  const ways: readonly (readonly [string, (module: WebAssembly.Module) => Way])[] = [
    ["engine", engineWay],
    ["warm-cache PDP", pdpWay],
    ["gRPC loopback", grpcWay],
    ["command line", () => cliWay(copy)],
  ];

  it.each(ways)("%s fails its conformance", async (_name, createWay) => {
    if (suite === undefined) throw new Error("the suite deny-beats-allow is gone");
    const module = new WebAssembly.Module(readFileSync(join(copy, "build/engine.wasm")));
    const way = await createWay(module).open(suite);
    if (way === null) throw new Error("the way cannot be opened");
    try {
      const { asked, wrong } = await disagreements(way, suite);
      expect(asked).toBeGreaterThan(wrong.length);
      expect(wrong.length).toBeGreaterThan(3);
      for (const each of wrong) expect(each).toMatch(/expected .*"deny".*, got .*"allow"/);
    } finally {
      await way.close();
    }
  });
});
