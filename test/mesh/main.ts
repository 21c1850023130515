/**
 * `npm run test:mesh [--keep] [SET...]`: what we generate for Istio, judged by Istio's own code and run on real Envoys, from the
 * application's sidecar over the gateway and our authorizer to the outside. `--keep`
 * keeps what was generated, translated and logged, and says where. Exit codes: 0 all as `check` says, 1 not, 3 no Go or no sources of Istio.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultSearch, findEnvoy } from "../../src/cli/demo/envoy-binary.ts";
import { openBench } from "./bench.ts";
import { judgeSet } from "./judge-set.ts";
import { readMeshSet, setNames } from "./mesh-set.ts";

const say = (text: string): void => void process.stdout.write(`${text}\n`);

const bench = openBench((step) => say(`mesh: ${step}`));
if (typeof bench === "string") {
  say(`mesh: skipped, ${bench}`);
  process.exit(3);
}
const envoy = await findEnvoy(defaultSearch(), AbortSignal.timeout(300_000));
const keep = process.argv.includes("--keep");
const wanted = process.argv.slice(2).filter((each) => each !== "--keep");
const names = wanted.length === 0 ? setNames() : wanted;
let failed = 0;
for (const name of names) {
  const directory = await mkdtemp(join(tmpdir(), "sallyport-mesh-"));
  try {
    const { summary, problems } = await judgeSet(bench, await readMeshSet(name), directory, envoy);
    say(`${problems.length === 0 ? "ok  " : "FAIL"} ${name}: ${summary}`);
    for (const problem of problems) say(`     ${problem}`);
    if (problems.length > 0) failed += 1;
  } catch (error) {
    failed += 1;
    say(`FAIL ${name}: ${error instanceof Error ? error.message : error}`);
  } finally {
    if (keep) say(`     kept in ${directory}`);
    else await rm(directory, { recursive: true, force: true });
  }
}
say(`mesh: ${names.length} sets, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
