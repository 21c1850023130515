import type { PolicySet } from "../policy/model.ts";
import { createBundleReader } from "./bundle-reader.ts";
import { LAYOUT } from "./layout.ts";
import { eachRuleItem, numberRules, type RuleItem } from "./rule-items.ts";
import { createSubjectIndex, type SubjectIndex } from "./subject-index.ts";
import { createTargetIndex } from "./target-index.ts";

/** An item and its offset in the bundle. */
export interface LocatedItem extends RuleItem {
  readonly offset: number;
}

/** Where a bundle keeps what its policy set says, for explaining. */
export interface LocatedSet {
  readonly items: readonly LocatedItem[];
  readonly groupSubject: SubjectIndex["groupSubject"];
}

/** Finds every item of a set's rules in the bundle compiled from it. @throws RangeError when the bundle is of another set */
export function locateItems(set: PolicySet, bundle: Uint8Array): LocatedSet {
  const subjects = createSubjectIndex(set);
  const targets = createTargetIndex(set.services, subjects.namespaceNumber);
  const { field } = createBundleReader(bundle);
  const lists = new Map<string, number>();
  const table = field(LAYOUT.H_PAIR_TABLE);
  for (let slot = 0; slot < field(LAYOUT.H_PAIR_SLOTS); slot++) {
    const at = table + slot * LAYOUT.PAIR_SLOT;
    const list = field(at + 8);
    // Past its count.
    if (list !== 0) lists.set(`${field(at)}/${field(at + 4)}`, list + 4);
  }
  const items: LocatedItem[] = [];
  eachRuleItem(numberRules(set), subjects, targets, (item) => {
    const key = `${item.subject}/${item.target}`;
    const offset = lists.get(key) ?? 0;
    if (offset === 0 || field(offset + LAYOUT.ITEM_RULE) !== item.number) {
      throw new RangeError(`the bundle does not hold ${item.of.id} where its policy set has it`);
    }
    // The items of a pair stand in the order in which they are met.
    lists.set(key, offset + LAYOUT.ITEM_SIZE);
    items.push({ ...item, offset });
  });
  return { items, groupSubject: subjects.groupSubject };
}
