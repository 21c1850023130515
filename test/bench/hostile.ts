/** What the worst policies cost that are accepted. */
import { compileBundle } from "../../src/bundle/compile.ts";
import { createCanonicaliser } from "../../src/pdp/canonicaliser.ts";
import { readEngineModule } from "../../src/pdp/engine-module.ts";
import { loadIsolated } from "../../src/policy/isolate.ts";
import { directoryOf, HOSTILE, type HostileSet, SIZES, VICTIMS_QUESTION } from "../attack/hostile-sets.ts";
import { acceptedSet, decideTime, type Mixture, searchWorst, setOf } from "../attack/worst-set.ts";
import { table } from "./page.ts";

const canon = createCanonicaliser(readEngineModule());

/** Milliseconds to read and check a directory as a server does, and to compile what is accepted. */
function loadTimes(set: HostileSet): { readonly readMs: number; readonly compileMs: number } {
  const files = directoryOf(set);
  const begun = performance.now();
  const loaded = loadIsolated(files, canon, null);
  const read = performance.now();
  if (loaded.set !== null) compileBundle(loaded.set);
  return { readMs: read - begun, compileMs: performance.now() - read };
}

/** The section. `quick` searches for a few seconds only. */
export async function hostile(quick: boolean): Promise<string> {
  process.stderr.write("hostile policies\n");
  const quiet = acceptedSet(null);
  if (!("gateway" in quiet)) throw new Error(`the quiet set is refused: ${quiet}`);
  const normal = decideTime(quiet, VICTIMS_QUESTION, 2_000);
  const cells = (ns: number) => [`${(ns / 1_000).toFixed(1)} µs`, `${(ns / normal).toFixed(0)} ×`];
  const rows = Object.entries(HOSTILE).map(([kind, make]) => {
    const [fine, refused, code] = SIZES[kind] ?? [0, 0, ""];
    const small = make(fine);
    const set = acceptedSet(small);
    const decided = "gateway" in set && fine > 0 ? cells(decideTime(set, small.asked, 500)) : ["", ""];
    const large = make(refused);
    const { compileMs } = loadTimes(small);
    const { readMs } = loadTimes(large);
    return [
      fine === 0 ? "" : small.name,
      ...decided,
      fine === 0 ? "" : `${compileMs.toFixed(0)} ms`,
      large.name,
      `\`${code}\``,
      `${readMs.toFixed(0)} ms`,
    ];
  });
  const seconds = quick ? 3 : 90;
  const end = performance.now() + seconds * 1_000;
  const found = searchWorst(Math.random, () => performance.now() > end);
  const worst = setOf(found.mixtures);
  const set = acceptedSet(worst);
  if (!("gateway" in set)) throw new Error(`the worst set is refused: ${set}`);
  const [time, ratio] = cells(decideTime(set, worst.asked, 2_000));
  return `## Hostile policies
What one namespace can write at most to make deciding expensive, of each kind, and what is refused, and why. A normal set of three documents decides in ${(normal / 1_000).toFixed(2)} µs. The quietest of many calls of the engine.

${table(["accepted", "decide", "against normal", "compile", "refused", "as", "read and refused in"], rows)}

Searched for ${seconds} s by climbing over mixtures of all kinds, by the root's and a namespace's documents together, and a request with a path of 8 KiB and 100 headers: ${found.accepted} accepted sets, ${found.refused} refused ones.
The worst decides in ${time}, ${ratio} a normal set. Goal: at most 50 µs. It has, of the root and of the namespace: ${found.mixtures.map(told).join("; ")}.
`;
}

function told(mixture: Mixture): string {
  const kinds = Object.entries(mixture).filter(([kind, amount]) => amount > 0 && kind !== "values");
  return kinds.map(([kind, amount]) => `${amount} ${kind}`).join(", ");
}
