import { coveringPatterns } from "../host-pattern.ts";
import { keyOf, type WorkSubject } from "./subjects.ts";
import { LOOKUP_WORK, SUBJECT_WORK } from "./weights.ts";

/** The workload for which deciding can take most, and how much. */
export interface WorstWork {
  /** A selector's key: of a workload, or of all that have nothing more particular. */
  readonly who: string;
  readonly work: number;
}

/** So many steps are taken to be exact about one namespace; beyond them estimates count, which are too large. */
const MOST_STEPS = 2_000_000;

/**
 * The most work that one request can make by these subjects' rules. First by estimates that are quick and too large; only when they
 * exceed `quota`, exactly. Linear in what is written.
 */
export function worstWork(subjects: Iterable<WorkSubject>, own: string, quota: number): WorstWork {
  const entries = new Map<string, WorkSubject[]>();
  const levels = deepest(subjects);
  let everyone: readonly WorkSubject[] = [];
  for (const subject of subjects) {
    if (subject.members === null) everyone = [subject];
    for (const member of subject.members ?? []) {
      const key = keyOf(member);
      const list = entries.get(key);
      if (list === undefined) entries.set(key, [subject]);
      else if (list.at(-1) !== subject) list.push(subject);
    }
  }
  const bounds = new Map<WorkSubject, number>();
  const bound = (subject: WorkSubject): number => {
    const known = bounds.get(subject) ?? meetingWork(subject, levels) + mostOf([subject]);
    bounds.set(subject, known);
    return known;
  };
  let wide = everyone.reduce((sum, each) => sum + bound(each), 0);
  let narrow: WorstWork = { who: "", work: 0 };
  for (const [who, list] of entries) {
    const work = list.reduce((sum, each) => sum + bound(each), 0);
    if (!who.startsWith("i|")) wide += work;
    else if (work > narrow.work) narrow = { who, work };
  }
  if (wide + narrow.work <= quota) return { who: narrow.who, work: wide + narrow.work };

  let worst: WorstWork = { who: "", work: 0 };
  let steps = 0;
  for (const who of entries.keys()) {
    const met = new Set(everyone);
    for (const key of chainOf(who, own)) for (const each of entries.get(key) ?? []) met.add(each);
    const most = [...met].reduce((sum, each) => sum + bound(each), 0);
    if (most <= Math.max(quota, worst.work)) continue;
    for (const each of met) steps += each.services.size + each.hosts.size + 1;
    const meeting = [...met].reduce((sum, each) => sum + meetingWork(each, levels), 0);
    const work = steps > MOST_STEPS ? most : meeting + mostOf([...met]);
    if (work > worst.work) worst = { who, work };
  }
  return worst;
}

/** What a subject costs whatever it says of the target. */
function meetingWork({ any, services, hosts }: WorkSubject, levels: number): number {
  const lookups = (any > 0 ? 1 : 0) + (services.size > 0 ? 2 : 0) + (hosts.size > 0 ? levels : 0);
  return SUBJECT_WORK + lookups * LOOKUP_WORK;
}

/**
 * The most that rules of these subjects cost for one target: those for every target, for its service (and for a global one behind it), and for
 * each host pattern over it.
 */
function mostOf(subjects: readonly WorkSubject[]): number {
  const services = added(subjects.map((each) => each.services));
  const hosts = added(subjects.map((each) => each.hosts));
  let first = 0;
  let second = 0;
  for (const work of services.values()) {
    if (work > first) [first, second] = [work, first];
    else if (work > second) second = work;
  }
  let most = 0;
  for (const pattern of hosts.keys()) {
    let sum = 0;
    for (const outer of coveringPatterns(pattern)) sum += hosts.get(outer) ?? 0;
    most = Math.max(most, sum);
  }
  return subjects.reduce((sum, { any }) => sum + any, first + second + most);
}

function added(maps: readonly ReadonlyMap<string, number>[]): ReadonlyMap<string, number> {
  const [only] = maps;
  if (maps.length === 1 && only !== undefined) return only;
  const all = new Map<string, number>();
  for (const map of maps) for (const [key, work] of map) all.set(key, (all.get(key) ?? 0) + work);
  return all;
}

/** How many host patterns of rules can lie over one host. */
function deepest(subjects: Iterable<WorkSubject>): number {
  const patterns = new Set<string>();
  for (const { hosts } of subjects) for (const pattern of hosts.keys()) patterns.add(pattern);
  let most = 0;
  for (const pattern of patterns) {
    let over = 0;
    for (const outer of coveringPatterns(pattern)) if (patterns.has(outer)) over += 1;
    most = Math.max(most, over);
  }
  return most;
}

/** The keys of everything that means a workload, given the most particular. */
function* chainOf(who: string, own: string): Generator<string> {
  yield who;
  const [kind = "", domain = "", path = ""] = who.split("|");
  if (kind === "d") return;
  const from = kind === "n" ? `/ns/${domain}/sa` : path;
  const home = kind === "n" ? own : domain;
  if (kind === "n") yield `p|${home}|${from}`;
  for (let end = from.lastIndexOf("/"); end >= 0; end = end === 0 ? -1 : from.lastIndexOf("/", end - 1)) {
    yield `p|${home}|${from.slice(0, end)}`;
  }
  const namespace = kind === "n" || home !== own ? undefined : /^\/ns\/([^/]+)\/sa(\/[^/]+)?$/.exec(path)?.[1];
  if (namespace !== undefined) yield `n|${namespace}`;
  yield `d|${home}`;
}
