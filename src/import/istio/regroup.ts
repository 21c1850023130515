import type { Aim, DraftRule } from "../draft.ts";
import type { Atom } from "./allow.ts";

/** Atoms of a rule that say the same of the same workloads, as one rule each; with the name of the policy. */
export function allowRules(atoms: readonly Atom[]): readonly (readonly [string, DraftRule])[] {
  const byConditions = new Map<
    string,
    { first: Atom; subjects: Map<string, { from: Atom["from"]; aims: Map<string, Aim> }> }
  >();
  for (const atom of atoms) {
    const { rule, methods, paths, headers } = atom;
    const key = JSON.stringify([rule.policy, rule.name, methods, paths, headers]);
    const group = byConditions.get(key) ?? { first: atom, subjects: new Map() };
    byConditions.set(key, group);
    const who = JSON.stringify(atom.from);
    const subject = group.subjects.get(who) ?? { from: atom.from, aims: new Map<string, Aim>() };
    group.subjects.set(who, subject);
    const aim: Aim = { pattern: atom.pattern, ports: [atom.claim.port], protocol: atom.claim.protocol };
    subject.aims.set(JSON.stringify(aim), aim);
  }
  return [...byConditions.values()].flatMap(({ first, subjects }) => {
    const byAims = new Map<string, { from: Atom["from"][]; aims: readonly Aim[] }>();
    for (const { from, aims } of subjects.values()) {
      const key = JSON.stringify([...aims.keys()]);
      const group = byAims.get(key) ?? { from: [], aims: [...aims.values()] };
      byAims.set(key, group);
      group.from.push(from);
    }
    return [...byAims.values()].map(({ from, aims }): readonly [string, DraftRule] => {
      const { rule, methods, paths, headers } = first;
      return [rule.policy, { name: rule.name, effect: "allow", from, aims, methods, paths, headers, at: rule.at }];
    });
  });
}
