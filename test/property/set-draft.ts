import * as fc from "fast-check";
import { expressionDraft } from "./expression-draft.ts";
import {
  BOUNDARIES_MS,
  HEADER_NAMES,
  HEADER_VALUES,
  METHODS,
  PATH_PATTERNS,
  PATTERNS,
  PORTS,
  UPGRADES,
} from "./universe.ts";

/** A set before its references are resolved: numbers stand for choices among what turns out to be there. */
export type SetDraft = typeof setDraft extends fc.Arbitrary<infer T> ? T : never;
export type ServiceDraft = SetDraft["services"][number];
export type GroupDraft = SetDraft["groups"][number];
type PolicyDraft = SetDraft["policies"][number];
export type RuleDraft = PolicyDraft["rules"][number];
export type TargetDraft = RuleDraft["to"][number];

/** Numbers below a bound, all equally likely. */
const below = (bound: number) => fc.noBias(fc.nat({ max: bound - 1 }));
const choice = below(1000);
/** A third of all lists have one or two: what is lost in a crowd shows there. */
const fewOrMany = <T>(arb: fc.Arbitrary<T>, most: number) =>
  fc.oneof(
    { weight: 1, arbitrary: fc.array(arb, { minLength: 1, maxLength: 2 }) },
    { weight: 2, arbitrary: fc.array(arb, { minLength: 1, maxLength: most, size: "max" }) },
  );
const some = <T>(list: readonly T[], max: number) =>
  fc.uniqueArray(fc.constantFrom(...list), { minLength: 1, maxLength: max });
/** Something in `share` of ten cases. */
const maybe = <T>(arb: fc.Arbitrary<T>, share: number) =>
  fc.oneof({ weight: 10 - share, arbitrary: fc.constant(undefined) }, { weight: share, arbitrary: arb });

const service = fc.record({
  scope: choice,
  place: choice,
  name: choice,
  hosts: some(PATTERNS, 3),
  internal: below(6),
  ports: some(PORTS, 3),
  protocols: choice,
});

const selectors = fc.array(choice, { minLength: 1, maxLength: 4 });

const group = fc.record({
  scope: choice,
  place: choice,
  members: selectors,
  fallback: fc.constantFrom(undefined, "deny", "report", "allow"),
});

const target = fc.record({
  byService: fc.boolean(),
  service: choice,
  hosts: fc.array(choice, { minLength: 1, maxLength: 2 }),
  ports: maybe(some(PORTS, 2), 3),
  methods: maybe(some(METHODS, 2), 3),
  paths: maybe(some(PATH_PATTERNS, 3), 4),
  headers: maybe(
    fc.uniqueArray(fc.tuple(fc.constantFrom(...HEADER_NAMES), some(HEADER_VALUES, 2)), {
      ...{ minLength: 1, maxLength: 2 },
      selector: ([name]) => name,
    }),
    3,
  ),
});

const rule = fc.record({
  deny: below(4),
  from: selectors,
  everyone: below(6),
  to: fc.array(target, { minLength: 1, maxLength: 3 }),
  everywhere: below(8),
  upgrades: maybe(some(UPGRADES, 2), 3),
  notBefore: maybe(fc.constantFrom(...BOUNDARIES_MS), 3),
  expires: maybe(fc.constantFrom(...BOUNDARIES_MS), 4),
  when: maybe(expressionDraft, 2),
  timeFormat: choice,
});

/** Drafts of policies. */
export const policyDraft = fc.record({
  scope: choice,
  place: choice,
  report: below(4),
  rules: fewOrMany(rule, 5),
});

/** Drafts of sets. */
export const setDraft = fc.record({
  model: fc.constantFrom(undefined, "Gateway", "Gateway", "RegistryOnly", "AllowAny"),
  domains: fc.constantFrom(
    undefined,
    ["cluster.local", "mesh.example"],
    ["mesh.example", "cluster.local"],
    ["mesh.example"],
  ),
  wide: below(4),
  federated: below(4),
  clusterDomain: fc.constantFrom(undefined, undefined, "k8s.example.com"),
  fallback: fc.constantFrom(undefined, undefined, "deny", "report", "allow"),
  services: fc.array(service, { minLength: 2, maxLength: 6, size: "max" }),
  groups: fc.array(group, { maxLength: 4, size: "max" }),
  policies: fewOrMany(policyDraft, 7),
  invalid: below(8),
});
