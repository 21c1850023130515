import type { CheckInput, Dependencies, HeaderPair } from "../../pdp/decision.ts";
import { CONTENT_TYPE, headerAtoms } from "../atoms/header-atoms.ts";
import { unlike } from "../atoms/unlike.ts";
import type { Vocabulary } from "../atoms/vocabulary.ts";
import type { Unknown } from "./recorded-decision.ts";

/** One thing that a record leaves open, and every way to fill it in that a decision can tell from the others; null = any text is one. */
export interface Gap {
  readonly of: Unknown;
  readonly ways: readonly ((input: CheckInput) => CheckInput)[] | null;
}

/** More ways than these are not tried: what depends on so much is left undecided. */
const MOST = 4096;

/** Headers that a decision depends on and that are not on record. */
export function headerGaps(input: CheckInput, depends: Dependencies, { headers, opaque }: Vocabulary): readonly Gap[] {
  const names = new Set(depends.headers);
  if (depends.contentType) names.add(CONTENT_TYPE);
  for (const [name] of input.headers) names.delete(name);
  return [...names].sort().map((name) => ({
    of: `header ${name}`,
    ways: opaque.has(name)
      ? null
      : headerAtoms(headers.get(name) ?? [], name === CONTENT_TYPE).map(({ value }) =>
          value === null ? same : withHeaders([name, value]),
        ),
  }));
}

/** What a request may have upgraded to; `plain` = it may also not have upgraded at all. */
export function upgradeGap({ upgrades }: Vocabulary, plain: boolean): Gap {
  const named = [...upgrades, unlike(upgrades, "other")];
  const ways = named.map((protocol) => withHeaders(["connection", "upgrade"], ["upgrade", protocol]));
  return { of: "upgrade", ways: [...(plain ? [same] : [withHeaders([":protocol", "other"])]), ...ways] };
}

/** A path is on record without its fragment, which would have left it in doubt. */
export const FRAGMENT: Gap = { of: "path", ways: [same, (input) => ({ ...input, path: `${input.path}#` })] };

/** An identity is on record under the mesh's own trust domain, whichever of its names it came under. */
export function domainGap(own: string, domains: readonly string[]): Gap {
  const start = `spiffe://${own}`;
  return {
    of: "trust domain",
    ways: domains.map((domain) => (input) => ({
      ...input,
      principal: `spiffe://${domain}${input.principal.slice(start.length)}`,
    })),
  };
}

/** Every way to fill in all gaps together, or null when there are too many. */
export function completions(input: CheckInput, gaps: readonly Gap[]): readonly CheckInput[] | null {
  if (gaps.reduce((product, { ways }) => product * (ways?.length ?? MOST + 1), 1) > MOST) return null;
  let filled: readonly CheckInput[] = [input];
  for (const { ways } of gaps) if (ways !== null) filled = filled.flatMap((each) => ways.map((way) => way(each)));
  return filled;
}

function same(input: CheckInput): CheckInput {
  return input;
}

/** What is on record stays as it is. */
function withHeaders(...pairs: readonly HeaderPair[]): (input: CheckInput) => CheckInput {
  return (input) => {
    const missing = pairs.filter(([name]) => !input.headers.some(([known]) => known === name));
    return { ...input, headers: [...input.headers, ...missing] };
  };
}
