import { patternCovers } from "../../policy/host-pattern.ts";
import type { HostAtom } from "./touched.ts";

const LABELS = ["other", ..."abcdefghijklmnopqrstuvwxyz0123456789"];
const MAX_BYTES = 253;

/** For each atom a host that is in it and in no narrower one; null when there is none. */
export function createWitnessHosts(atoms: readonly HostAtom[]): (atom: HostAtom) => string | null {
  const named = new Set(atoms.filter((each) => each !== null));
  const isFree = (host: string): boolean => !named.has(host) && !named.has(`*.${host}`) && host.length <= MAX_BYTES;
  return (atom) => {
    if (atom === null) {
      for (let number = 1; ; number++) {
        const host = `unlisted${number === 1 ? "" : number}.example`;
        if (![...named].some((each) => patternCovers(each, host))) return host;
      }
    }
    if (!atom.startsWith("*.")) return atom;
    for (const label of labels()) {
      const host = `${label}${atom.slice(1)}`;
      if (isFree(host)) return host;
      // Only longer labels follow.
      if (host.length > MAX_BYTES && label !== LABELS[0]) return null;
    }
    return null;
  };
}

function* labels(): Generator<string> {
  yield* LABELS;
  for (let number = 10; ; number++) yield String(number);
}
