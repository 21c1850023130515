import { type BundleParts, FALLBACKS, MODELS } from "./bundle-parts.ts";
import { ByteWriter } from "./byte-writer.ts";
import { LAYOUT } from "./layout.ts";
import { numbersOf } from "./numbers.ts";
import { pairHash } from "./pair-index.ts";
import { placeInSlots, type Slots } from "./slots.ts";
import { identityHash } from "./subject-index.ts";
import { hostHash } from "./target-index.ts";

/** The seed tried first, and how many are tried for tables whose look-ups stay short. */
const FIRST_SEED = 0x811c9dc5;
const SEEDS = 8;
const SHORT_LOOKUP = 48;

/** Writes header, strings and sections. @see src/bundle/FORMAT.md */
export function writeBundle(parts: BundleParts): Uint8Array {
  const { set, strings, subjects, targets, pairs } = parts;
  const policies = set.policies.map((p) => [strings.ref(p.scope), strings.ref(p.name), strings.ref(p.owner)] as const);
  const services = set.services.map((s) => [strings.ref(s.scope), strings.ref(s.name)] as const);
  const groups = set.groups.map((g) => [strings.ref(g.scope), strings.ref(g.name), subjects.groupSubject(g)] as const);
  const rules = parts.rules.map(({ rule }) => ({
    name: strings.ref(rule.name),
    ticket: strings.ref(rule.ticket),
    reason: strings.ref(rule.reason),
    upgrades: rule.upgrades.map((u) => strings.ref(u)),
  }));
  const headers = parts.matchers.headerRefs();
  const clusterDomain = strings.ref(set.gateway.clusterDomain);
  const ownDomain = strings.ref(set.gateway.trustDomains[0] ?? "");

  const out = new ByteWriter();
  const hasWhen = parts.whens.count() > 0;
  const headerSize = hasWhen ? LAYOUT.HEADER_SIZE_WHEN : LAYOUT.HEADER_SIZE;
  out.zeros(headerSize);
  out.bytes(strings.bytes());
  out.align(8);
  const header = (field: number, value: number): void => out.setU32(field, value);
  const section = (field: number): void => {
    out.align(8);
    header(field, out.length);
  };

  const identities = subjects.entries();
  const hosts = targets.hosts();
  const { seed, tables } = chooseSeed((candidate) => [
    numbersOf(identities, (entry) => identityHash(candidate, entry)),
    numbersOf(hosts, (entry) => hostHash(candidate, entry)),
    numbersOf(pairs.subjects, (subject, i) => pairHash(candidate, subject, pairs.targets[i] ?? 0)),
  ]);

  header(LAYOUT.H_MAGIC, LAYOUT.MAGIC);
  header(LAYOUT.H_VERSION, hasWhen ? LAYOUT.VERSION_WHEN : LAYOUT.VERSION);
  header(LAYOUT.H_MODEL, MODELS[set.gateway.securityModel]);
  header(LAYOUT.H_FALLBACK, FALLBACKS[set.gateway.fallback]);
  header(LAYOUT.H_SEED, seed);
  header(LAYOUT.H_PREFIX_DEPTH, subjects.prefixDepth());
  const everyone = subjects.everyone();
  const tagged = (id: number): number => (id | (parts.subjectClasses[id] ?? 0)) >>> 0;
  header(LAYOUT.H_EVERYONE, everyone === null ? LAYOUT.NONE : tagged(everyone));
  header(LAYOUT.H_CLUSTER_DOMAIN, clusterDomain);
  header(LAYOUT.H_OWN_DOMAIN, ownDomain);
  header(LAYOUT.H_STRINGS, headerSize);
  header(LAYOUT.H_TARGET_COUNT, targets.count());

  section(LAYOUT.H_HEADERS);
  header(LAYOUT.H_HEADER_COUNT, headers.length);
  for (const ref of headers) out.u32(ref);

  section(LAYOUT.H_SUBJECTS);
  header(LAYOUT.H_SUBJECT_COUNT, subjects.count());
  const fallbacks = new Uint8Array(subjects.count()).fill(LAYOUT.FALLBACK_UNSET);
  set.groups.forEach((group, i) => {
    const subject = groups[i]?.[2];
    if (group.fallback !== null && subject !== undefined) fallbacks[subject] = FALLBACKS[group.fallback];
  });
  out.bytes(fallbacks);

  section(LAYOUT.H_POLICIES);
  header(LAYOUT.H_POLICY_COUNT, policies.length);
  for (const refs of policies) for (const ref of refs) out.u32(ref);

  section(LAYOUT.H_SERVICES);
  header(LAYOUT.H_SERVICE_COUNT, services.length);
  services.forEach(([scope, name], i) => {
    out.u32(scope);
    out.u32(name);
    out.u32(set.services[i]?.internal === true ? LAYOUT.SERVICE_INTERNAL : 0);
  });

  section(LAYOUT.H_GROUPS);
  header(LAYOUT.H_GROUP_COUNT, groups.length);
  for (const values of groups) for (const value of values) out.u32(value);
  out.u32(subjects.groupParts().length);
  for (const { group, subject } of subjects.groupParts()) {
    for (const value of [strings.ref(group.scope), strings.ref(group.name), subject]) out.u32(value);
  }

  const upgradeLists = rules.map(({ upgrades }) => {
    if (upgrades.length === 0) return 0;
    const offset = out.length;
    out.u32(upgrades.length);
    for (const ref of upgrades) out.u32(ref);
    return offset;
  });
  section(LAYOUT.H_RULES);
  header(LAYOUT.H_RULE_COUNT, rules.length);
  parts.rules.forEach(({ policyNumber, rule }, i) => {
    out.u32(policyNumber);
    out.u32(rules[i]?.name ?? 0);
    out.u32(parts.ruleFlags[i] ?? 0);
    out.u32(upgradeLists[i] ?? 0);
    out.f64(rule.notBefore ?? Number.NEGATIVE_INFINITY);
    out.f64(rule.expires ?? Number.POSITIVE_INFINITY);
    out.u32(rules[i]?.ticket ?? 0);
    out.u32(rules[i]?.reason ?? 0);
  });

  if (hasWhen) {
    header(LAYOUT.H_WHENS, parts.whens.write(out));
    header(LAYOUT.H_WHEN_COUNT, parts.whens.count());
  }
  const matcherOffsets = parts.matchers.write(out);
  out.align(4);
  const listOffsets = numbersOf(pairs.lists, (list) => {
    const offset = out.length;
    out.u32(list.length);
    for (const item of list) {
      out.u32(item.rule);
      out.u32(item.matcher < 0 ? 0 : (matcherOffsets[item.matcher] ?? 0));
      out.u32(item.flags);
      out.u32(item.scope);
    }
    return offset;
  });
  header(LAYOUT.H_ITEM_COUNT, pairs.itemCount());

  header(LAYOUT.H_IDENTITY_COUNT, identities.length);
  const identityOffsets = numbersOf(identities, (entry) => {
    out.align(4);
    const offset = out.length;
    out.u8(entry.kind);
    out.u8(entry.flags);
    out.u16(entry.key.length);
    out.u32(entry.number);
    out.u32(entry.subjects.size);
    for (const id of entry.subjects) out.u32(tagged(id));
    out.bytes(entry.key);
    return offset;
  });
  const hostOffsets = numbersOf(hosts, (entry) => {
    out.align(4);
    const offset = out.length;
    out.u16(entry.key.length);
    out.u8(entry.wildcard ? 1 : 0);
    out.u8(entry.internal ? 1 : 0);
    out.u32(entry.target);
    out.u32(entry.owners.length);
    for (const owner of entry.owners) {
      out.u16(owner.port);
      out.u16(owner.protocol);
      out.u32(owner.service);
      out.u32(owner.scope);
    }
    out.bytes(entry.key);
    return offset;
  });

  const writeTable = (
    table: number,
    count: number,
    which: Hashed,
    row: (index: number) => void,
    size: number,
  ): void => {
    section(table);
    header(count, which.slots.count);
    const { entries } = which.slots;
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i] ?? 0;
      if (entry === 0) out.zeros(size);
      else row(entry - 1);
    }
  };
  const [identityTable, hostTable, pairTable] = tables;
  writeTable(
    LAYOUT.H_IDENTITY_TABLE,
    LAYOUT.H_IDENTITY_SLOTS,
    identityTable,
    (i) => {
      out.u32(identityTable.hashes[i] ?? 0);
      out.u32(identityOffsets[i] ?? 0);
    },
    LAYOUT.ID_SLOT,
  );
  writeTable(
    LAYOUT.H_HOST_TABLE,
    LAYOUT.H_HOST_SLOTS,
    hostTable,
    (i) => {
      out.u32(hostTable.hashes[i] ?? 0);
      out.u32(hostOffsets[i] ?? 0);
    },
    LAYOUT.HOST_SLOT,
  );
  writeTable(
    LAYOUT.H_PAIR_TABLE,
    LAYOUT.H_PAIR_SLOTS,
    pairTable,
    (i) => {
      out.u32(pairs.subjects[i] ?? 0);
      out.u32(pairs.targets[i] ?? 0);
      out.u32(listOffsets[i] ?? 0);
    },
    LAYOUT.PAIR_SLOT,
  );
  header(LAYOUT.H_LENGTH, out.length);
  return out.finish();
}

interface Hashed {
  readonly hashes: Uint32Array;
  readonly slots: Slots;
}

type Tables = readonly [Hashed, Hashed, Hashed];

/** The first seed under which every look-up is short; when none is, the one with the shortest longest. */
function chooseSeed(hash: (seed: number) => readonly [Uint32Array, Uint32Array, Uint32Array]): {
  seed: number;
  tables: Tables;
} {
  let best: { seed: number; tables: Tables; longest: number } | null = null;
  for (let attempt = 0; attempt < SEEDS; attempt++) {
    const seed = (FIRST_SEED + attempt) >>> 0;
    const [a, b, c] = hash(seed);
    const tables: Tables = [place(a), place(b), place(c)];
    const longest = Math.max(...tables.map((t) => t.slots.longest));
    if (best === null || longest < best.longest) best = { seed, tables, longest };
    if (best.longest <= SHORT_LOOKUP) return best;
  }
  return best ?? chooseSeed(hash);
}

function place(hashes: Uint32Array): Hashed {
  return { hashes, slots: placeInSlots(hashes) };
}
