import type { DraftPolicy, DraftRule, DraftSubject } from "./draft.ts";
import { namespaceOf } from "./subjects.ts";

/**
 * Rules as policies, each where it belongs: what an allow says for the workloads of one namespace goes to that namespace,
 * all else to the root, and so does every deny.
 */
export function placed(name: string, owner: string, rules: readonly DraftRule[]): readonly DraftPolicy[] {
  const places = new Map<string | null, DraftRule[]>();
  const put = (place: string | null, rule: DraftRule): void => {
    places.set(place, [...(places.get(place) ?? []), rule]);
  };
  for (const rule of rules) {
    if (rule.effect === "deny" || rule.from === null) put(null, rule);
    else for (const [place, from] of byNamespace(rule.from)) put(place, { ...rule, from });
  }
  return [...places].map(([namespace, some]) => ({ namespace, name, owner, rules: some }));
}

function byNamespace(from: readonly DraftSubject[]): ReadonlyMap<string | null, readonly DraftSubject[]> {
  const places = new Map<string | null, DraftSubject[]>();
  for (const subject of from) {
    const place = subject.kind === "group" ? null : namespaceOf(subject);
    places.set(place, [...(places.get(place) ?? []), subject]);
  }
  return places;
}
