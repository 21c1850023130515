/** What a reload costs those who ask meanwhile. */
import { readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts } from "../../src/cli/demo/ports.ts";
import { waitUntil } from "../../src/cli/demo/process.ts";
import { allows, load, serveArgs, startServed, WARM } from "./checks.ts";
import { paced, pacedFor, quantile } from "./paced.ts";
import { table } from "./page.ts";
import { writePolicyText } from "./policy-text.ts";
import { shapeOf, syntheticSet } from "./synthetic-set.ts";

/** A Check that waits long is to be seen as that. */
const REFUSE_NOTHING = ["--overload-max-wait", "30s"];
const QUIET_MS = 6_000;
const ROUNDS = 3;

interface Reload {
  readonly what: string;
  readonly seconds: number[];
  readonly quiet: number[];
  readonly during: number[];
}

/** The section: quiet times and reloads in turn, at 1,000 Checks a second. */
export async function reloading(quick: boolean): Promise<string> {
  process.stderr.write("reloading under load\n");
  const rules = quick ? 10_000 : 100_000;
  const directory = await mkdtemp(join(tmpdir(), "sallyport-bench-"));
  const policies = join(directory, "policies");
  await writePolicyText(syntheticSet(shapeOf(rules)), policies);
  const [port = 0] = await freePorts(1);
  const more = [
    "--audit-to",
    join(directory, "audit.jsonl"),
    "--reload-poll",
    "1h",
    "--reload-deadline",
    "10m",
    ...REFUSE_NOTHING,
  ];
  const args = serveArgs(directory, "socket", policies, more).map((each) =>
    each === "none" ? `127.0.0.1:${port}` : each,
  );
  const served = startServed(directory, "socket", args);
  const { child, client } = served;
  const warm = (i: number): Buffer => WARM[i % WARM.length] ?? Buffer.alloc(0);
  let edits = 0;
  const teams = readdirSync(policies).filter((name) => name.startsWith("team-"));
  const edit = (names: readonly string[], all: boolean): void => {
    edits += 1;
    const drafts = names.map((name) => ({
      file: join(policies, name, "egress.yaml"),
      draft: join(directory, `${name}.draft`),
    }));
    for (const { file, draft } of drafts) {
      const text = readFileSync(file, "utf8");
      // A rule's ticket is part of the bundle: it is another revision.
      const changed = all ? `# edit ${edits}\n${text}` : text;
      writeFileSync(draft, changed.replace(/ticket: .*/, `ticket: EDIT-${edits}`));
    }
    // All at once, from where the server does not look: or it begins with some of them, and goes on with the others when it is thought to be done.
    for (const { file, draft } of drafts) renameSync(draft, file);
  };
  const revision = async (): Promise<unknown> => {
    const page: unknown = await (await fetch(`http://127.0.0.1:${port}/readyz`)).json();
    return Reflect.get(page as object, "revision");
  };
  const reloads: Reload[] = [
    { what: "one rule", seconds: [], quiet: [], during: [] },
    { what: "every file", seconds: [], quiet: [], during: [] },
  ];
  try {
    await waitUntil("a server allowing", () => allows(client), 120_000, child);
    await load(client, 20_000, warm);
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [index, { quiet, during, seconds }] of reloads.entries()) {
        quiet.push(...(await pacedFor(QUIET_MS, client, warm)));
        const before = await revision();
        let isDone = false;
        const begun = performance.now();
        edit(index === 0 ? teams.slice(0, 1) : teams, index === 1);
        const watched = waitUntil("another revision", async () => (await revision()) !== before, 120_000, child).then(
          () => {
            seconds.push((performance.now() - begun) / 1000);
            // What comes right after it belongs to it: the cache is empty.
            setTimeout(() => {
              isDone = true;
            }, 500);
          },
        );
        during.push(...(await paced(() => isDone, client, warm)));
        await watched;
      }
    }
  } finally {
    client.close();
    await child.stop();
    await rm(directory, { recursive: true, force: true });
  }
  const ms = (value: number) => `${value.toFixed(2)} ms`;
  const rows = reloads.map(({ what, seconds, quiet, during }) => [
    what,
    `${quantile(seconds, 0.5).toFixed(1)} s`,
    ...[quiet, during].flatMap((times) => [
      ms(quantile(times, 0.5)),
      ms(quantile(times, 0.99)),
      ms(quantile(times, 1)),
    ]),
    ms(quantile(during, 0.99) - quantile(quiet, 0.99)),
  ]);
  return `## Reloading
${rules.toLocaleString("en")} rules in ${teams.length} namespaces, audit file on; 1,000 Checks a second, seen by the client, which shares the two cores with the server: ${ROUNDS} times ${QUIET_MS / 1_000} s of quiet and a reload in turn.
*during* lasts from the change of the files to half a second after the new revision is in force.

${table(["changed", "in force after", "quiet p50", "p99", "most", "during p50", "p99", "most", "added to p99"], rows)}

Goal: at most 20 ms added to p99.
`;
}
