/** Looks for the policy set that is accepted and makes a decision take longest. */
import { createBundleReader } from "../../src/bundle/bundle-reader.ts";
import { compileBundle } from "../../src/bundle/compile.ts";
import { LAYOUT } from "../../src/bundle/layout.ts";
import { createCanonicaliser } from "../../src/pdp/canonicaliser.ts";
import type { CheckInput } from "../../src/pdp/decision.ts";
import { createEngine } from "../../src/pdp/engine.ts";
import { createEngineInstance } from "../../src/pdp/engine-instance.ts";
import { readEngineModule } from "../../src/pdp/engine-module.ts";
import { ALWAYS_READ, createQuestionWriter } from "../../src/pdp/question.ts";
import { createWhens } from "../../src/pdp/when.ts";
import { LIMITS } from "../../src/policy/limits.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import type { PolicySet } from "../../src/policy/model.ts";
import { MOST_INPUT } from "../../src/policy/when/environment.ts";
import { count, directoryOf, HEAD, type HostileSet, MALLORY, policy } from "./hostile-sets.ts";

/** How much of each kind one author writes. */
export interface Mixture {
  readonly plain: number;
  readonly windows: number;
  readonly denies: number;
  readonly upgrades: number;
  readonly templates: number;
  readonly prefixes: number;
  readonly headers: number;
  /** Of each header. */
  readonly values: number;
  readonly groups: number;
  readonly wildcards: number;
  /** Expressions that look through a long header, for a text made for it. */
  readonly searches: number;
  /** That count its characters. */
  readonly counts: number;
  /** That read the calendar and calculate. */
  readonly clocks: number;
  /** That compare numbers. */
  readonly compares: number;
}

/** What the security team and what a namespace writes. */
export type Mixtures = readonly [root: Mixture, namespace: Mixture];

const NOW = Date.UTC(2026, 10, 23);
const MOST: Mixture = {
  plain: 1_000,
  windows: 1_000,
  denies: 1_000,
  upgrades: 300,
  templates: 400,
  prefixes: 200,
  headers: LIMITS.headersPerTarget,
  values: LIMITS.valuesPerHeader,
  groups: 400,
  wildcards: 29,
  searches: 8,
  counts: 8,
  clocks: 40,
  compares: 60,
};
const KINDS = Object.keys(MOST) as readonly (keyof Mixture)[];

/** Of no kind anything. */
export const NOTHING: Mixture = {
  ...(Object.fromEntries(KINDS.map((kind) => [kind, 0])) as unknown as Mixture),
  values: 1,
};

/** The worst that searches have found: a path and headers to be read, an expression to wait for, and many rules to be walked twice. New searches climb from there. */
const WORST_KNOWN: Mixtures = [
  { ...NOTHING, plain: 1, denies: 207, upgrades: 13, headers: 14, groups: 1, wildcards: 23, counts: 1, compares: 1 },
  { ...NOTHING, denies: 451, upgrades: 2, templates: 5, headers: 15, groups: 1, wildcards: 14 },
];

/** As long as paths are looked at, with as many segments as templates have. */
const PATH = `${`/${"s".repeat(250)}`.repeat(LIMITS.pathSegments - 1)}/${"%C3%A9".repeat(60)}`;
const UPGRADES = count(16, (i) => `${"u".repeat(58)}${String(i).padStart(2, "0")}`);
const deep = (levels: number): string => `${count(levels, (n) => `l${levels - n}.`).join("")}wild.example`;
const value = (n: number): string => `${"v".repeat(100)}${String(n).padStart(2, "0")}`;

/** The documents of an author, and what is asked of both. */
export function setOf([root, own]: Mixtures): HostileSet {
  return {
    name: "a mixture",
    files: {
      "groups.yaml": groupsOf(own, MALLORY),
      "a.yaml": rulesOf(own, ""),
    },
    top: { "mixture-groups.yaml": groupsOf(root, "istio-egress"), "mixture.yaml": rulesOf(root, "istio-egress") },
    asked: {
      kind: "http",
      principal: `spiffe://cluster.local/ns/${MALLORY}/sa/app`,
      host: `a.${deep(MOST.wildcards)}`,
      port: "80",
      method: "PUT",
      path: PATH,
      headers: [
        ["connection", "upgrade"],
        ["upgrade", UPGRADES[15] ?? ""],
        ["x-long", "a".repeat(MOST_INPUT)],
        ...count(97, (i): readonly [string, string] => [nameOf(Math.floor(i / 2), i % 2 === 0), value(own.values - 1)]),
      ],
    },
  };
}

/** Root documents look at other headers than the namespace's. */
function nameOf(index: number, isRoot: boolean): string {
  return `x-a-name-as-long-as-others-${isRoot ? "r" : "n"}-${index}`;
}

function groupsOf({ groups }: Mixture, namespace: string): string {
  const names = count(Math.max(1, groups), (i) => i);
  return names
    .map(
      (i) =>
        `${HEAD}kind: IdentityGroup\nmetadata: {name: m${i}, namespace: ${namespace}}\nspec: {members: [{serviceAccount: mallory/app}]}\n`,
    )
    .join("---\n");
}

function rulesOf(mixture: Mixture, namespace: string): string {
  const { plain, windows, denies, upgrades, templates, prefixes, headers, values, groups, wildcards } = mixture;
  const { searches, counts, clocks, compares } = mixture;
  const when = (name: string, amount: number, of: (i: number) => string): string[] =>
    count(amount, (i) => `{name: ${name}${i}, ${who}, ${shared}, when: '${of(i)}'}`);
  const who = "from: [{serviceAccount: mallory/app}]";
  const shared = "to: [{service: shared}]";
  const paths = (prefix: string, list: readonly string[]): string[] =>
    count(Math.ceil(list.length / LIMITS.pathsPerTarget), (i) => {
      const part = list.slice(i * LIMITS.pathsPerTarget, (i + 1) * LIMITS.pathsPerTarget);
      return `{name: ${prefix}${i}, ${who}, to: [{service: shared, paths: [${part.map((each) => `"${each}"`).join(", ")}]}]}`;
    });
  const listed = count(headers, (i) => `${nameOf(i, namespace !== "")}: [${count(values, value).join(", ")}]`).join(
    ", ",
  );
  const rules = [
    ...count(plain, (i) => `{name: p${i}, ${who}, ${shared}}`),
    ...count(windows, (i) => `{name: w${i}, ${who}, ${shared}, expires: 20${30 + (i % 60)}-01-01T00:00:00Z}`),
    ...count(
      denies,
      (i) => `{name: d${i}, effect: deny, reason: no, ${who}, ${shared}, notBefore: 2020-01-01T00:00:00Z}`,
    ),
    ...count(upgrades, (i) => `{name: u${i}, ${who}, ${shared}, upgrades: [${UPGRADES.join(", ")}]}`),
    ...paths(
      "t",
      count(templates, (i) => `${"/{*}".repeat(LIMITS.pathSegments - 1)}/${"y".repeat(1 + (i % 9))}${i}`),
    ),
    ...paths(
      "x",
      count(prefixes, (i) => `${PATH.slice(0, 1_000)}${i}*`),
    ),
    ...(headers === 0 ? [] : [`{name: h, ${who}, to: [{service: shared, headers: {${listed}}}]}`]),
    // Each group twice, so that what matched does not come in order.
    ...count(Math.min(groups, 200), (i) => `{name: g${199 - i}, from: [{group: m${i}}], ${shared}}`),
    ...count(wildcards, (i) => `{name: c${i}, ${who}, to: [{hosts: ["*.${deep(i)}"]}]}`),
    ...when("s", searches, (i) => `headers["x-long"].contains("${"a".repeat(80)}b${"a".repeat(80)}${i}")`),
    ...when("n", counts, (i) => `size(headers["x-long"]) > ${i}`),
    ...when("k", clocks, (i) => `now.getHours() * ${i} + now.getMinutes() >= 0`),
    ...when("e", compares, (i) => `target.port != ${i}000 && target.method != "${i}"`),
    `{name: z, ${who}, ${shared}}`,
  ];
  return policy("mixture", rules, namespace);
}

const module = readEngineModule();
const canon = createCanonicaliser(module);

/** The set, if all of it is accepted; else the codes of what is wrong. */
export function acceptedSet(set: HostileSet | null): PolicySet | readonly string[] {
  const loaded = loadPolicySet(directoryOf(set), canon);
  return loaded.set ?? loaded.diagnostics.map(({ code }) => code);
}

/** Nanoseconds that the engine takes to decide, expressions included: the quietest of many. */
export function decideTime(set: PolicySet, asked: CheckInput, samples = 60): number {
  const bundle = compileBundle(set);
  const engine = createEngineInstance(module);
  engine.load(bundle);
  const names = asked.headers.map(([name]) => name);
  createQuestionWriter(engine, new Set([...ALWAYS_READ, ...names]))(asked);
  const whens = createWhens(engine, createBundleReader(bundle));
  const context = { input: asked, nowMs: NOW, decision: createEngine(module, bundle).decide(asked, NOW) };
  const decide = (): void => {
    engine.exports.decide(NOW);
    if (engine.view.getUint32(engine.answer + LAYOUT.A_WHEN_COUNT, true) === 0) return;
    whens.answerAll(context, null);
    engine.exports.decideAgain(NOW);
  };
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < samples; i += 1) {
    const start = process.hrtime.bigint();
    for (let n = 0; n < 4; n += 1) decide();
    best = Math.min(best, Number(process.hrtime.bigint() - start) / 4);
  }
  return best;
}

/** The worst that was found, and how many sets were tried. */
export interface Found {
  readonly mixtures: Mixtures;
  readonly ns: number;
  readonly accepted: number;
  readonly refused: number;
}

/**
 * Climbs from the worst that is known, and from random mixtures, to ones that take longer, until time is up. What is refused is made smaller until it is accepted: the worst lies at the
 * quota. `random` gives numbers in [0, 1).
 */
export function searchWorst(random: () => number, until: () => boolean): Found {
  let best: { mixtures: Mixtures; ns: number } | null = null;
  let accepted = 0;
  let refused = 0;
  while (!until() || best === null) {
    let mixtures: Mixtures = best === null ? WORST_KNOWN : next(best.mixtures, random);
    for (let tries = 0; tries < 12; tries += 1) {
      const set = setOf(mixtures);
      const loaded = acceptedSet(set);
      if (!("gateway" in loaded)) {
        refused += 1;
        mixtures = [smaller(mixtures[0]), smaller(mixtures[1])];
        continue;
      }
      accepted += 1;
      const ns = decideTime(loaded, set.asked);
      if (best === null || ns > best.ns) best = { mixtures, ns };
      break;
    }
  }
  return { ...best, accepted, refused };
}

function next(best: Mixtures, random: () => number): Mixtures {
  return random() < 0.2 ? [fresh(random), fresh(random)] : changed(best, random);
}

function mapped(mixture: Mixture, change: (amount: number, kind: keyof Mixture) => number): Mixture {
  const entries = KINDS.map((kind) => [
    kind,
    Math.max(0, Math.min(MOST[kind], Math.round(change(mixture[kind], kind)))),
  ]);
  return {
    ...(Object.fromEntries(entries) as unknown as Mixture),
    values: Math.max(1, Object.fromEntries(entries).values),
  };
}

/** A few kinds only: all at once leave little of each. */
function fresh(random: () => number): Mixture {
  return mapped(MOST, (most) => (random() < 0.35 ? most * random() : 0));
}

function changed(mixtures: Mixtures, random: () => number): Mixtures {
  const change = (amount: number, kind: keyof Mixture): number => {
    const dice = random();
    if (dice < 0.6) return amount;
    if (dice < 0.7) return 0;
    return dice < 0.85 ? amount * (0.5 + random() * 1.5) : MOST[kind] * random();
  };
  return [mapped(mixtures[0], change), mapped(mixtures[1], change)];
}

function smaller(mixture: Mixture): Mixture {
  return mapped(mixture, (amount) => amount * 0.8);
}
