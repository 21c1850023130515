import type {
  EgressPolicy,
  ExternalService,
  IdentityGroup,
  IdentitySelector,
  PolicySet,
  PortProtocol,
  Rule,
  RuleTarget,
  ServiceRef,
  SubjectSelector,
  WhenExpression,
} from "../policy/model.ts";
import { parseExpression } from "../policy/when/parse-expression.ts";
import { FALLBACKS, MODELS } from "./bundle-parts.ts";
import { type BundleReader, createBundleReader } from "./bundle-reader.ts";
import { LAYOUT } from "./layout.ts";
import { createMatcherReader, type MatcherReader } from "./read-matcher.ts";
import { type HostRecord, type IdentityRecord, readHosts, readIdentities } from "./read-tables.ts";

/** Nobody wrote what a bundle holds: places are not in it. */
const NOWHERE = { file: "", line: 0, column: 0 };

/**
 * The policy set that a bundle decides by: equal to the one it was compiled from in everything that decides, names, owners,
 * tickets and reasons included. What only generators read is not in a bundle and has its default; a rule's targets come one
 * by one. @throws RangeError when the bytes are not a whole bundle: let the engine check them first
 */
export function readBundleSet(bundle: Uint8Array): PolicySet {
  const reader = createBundleReader(bundle);
  const identities = readIdentities(bundle, reader);
  const hosts = readHosts(bundle, reader);
  const domains = identities.filter(({ kind }) => kind === LAYOUT.ID_TRUST_DOMAIN);
  const own = reader.text(reader.field(LAYOUT.H_OWN_DOMAIN)) ?? "";
  const aliases = domains.flatMap(({ flags, key }) => ((flags & LAYOUT.IE_FLAG_OWN) !== 0 && key !== own ? [key] : []));
  const federated = domains.filter(({ flags }) => (flags & LAYOUT.IE_FLAG_OWN) === 0);
  const namespaces = identities.filter(({ kind }) => kind === LAYOUT.ID_NAMESPACE);
  const domainNames = new Map(federated.map(({ number, key }) => [number, key]));
  const members = membersOf(identities, (number) => (number === 0 ? own : (domainNames.get(number) ?? "")));
  const scopes = new Map(namespaces.map(({ number, key }) => [number, key]));
  return {
    gateway: {
      name: "",
      namespace: "",
      at: NOWHERE,
      securityModel: keyOf(MODELS, reader.field(LAYOUT.H_MODEL)),
      trustDomains: [own, ...aliases.sort()],
      federatedTrustDomains: federated.map(({ key }) => key).sort(),
      clusterDomain: reader.text(reader.field(LAYOUT.H_CLUSTER_DOMAIN)) ?? "",
      fallback: keyOf(FALLBACKS, reader.field(LAYOUT.H_FALLBACK)),
      selector: {},
      authorizer: null,
      seat: "server",
      filter: { kind: "inline" },
      publicKeys: [],
    },
    services: readServices(reader, hosts),
    groups: readGroups(bundle, reader, members),
    policies: readPolicies(bundle, reader, members, hosts),
    invalidNamespaces: namespaces
      .flatMap(({ flags, number }) => ((flags & LAYOUT.IE_FLAG_INVALID) !== 0 ? [scopes.get(number) ?? ""] : []))
      .sort(),
  };
}

/** The expression of a number in a rule's flags. */
function readWhen(reader: BundleReader, number: number): WhenExpression | null {
  if (number === 0) return null;
  const parsed = parseExpression(reader.when(number - 1).text);
  if (!parsed.ok) throw new RangeError("the bundle holds an expression that is none");
  return parsed.value;
}

function keyOf<K extends string>(codes: Readonly<Record<K, number>>, code: number): K {
  const found = (Object.keys(codes) as K[]).find((key) => codes[key] === code);
  if (found === undefined) throw new RangeError(`the bundle holds the unknown code ${code}`);
  return found;
}

/** The selectors that each subject stands for. */
function membersOf(
  identities: readonly IdentityRecord[],
  domainOf: (number: number) => string,
): ReadonlyMap<number, readonly IdentitySelector[]> {
  const members = new Map<number, Map<string, IdentitySelector>>();
  for (const { kind, key, number, subjects } of identities) {
    const selector = selectorOf(kind, key, domainOf(kind === LAYOUT.ID_NAMESPACE ? 0 : number));
    for (const subject of subjects) {
      const known = members.get(subject) ?? new Map<string, IdentitySelector>();
      members.set(subject, known);
      // The aliases of a domain carry what it carries.
      known.set(JSON.stringify(selector), selector);
    }
  }
  return new Map([...members].map(([subject, known]) => [subject, [...known.values()]]));
}

function selectorOf(kind: number, key: string, trustDomain: string): IdentitySelector {
  if (kind === LAYOUT.ID_NAMESPACE) return { kind: "namespace", namespace: key };
  if (kind === LAYOUT.ID_TRUST_DOMAIN) return { kind: "trustDomain", trustDomain };
  return { kind: kind === LAYOUT.ID_EXACT ? "id" : "prefix", trustDomain, path: key };
}

const PROTOCOLS: Readonly<Record<Exclude<PortProtocol, "HTTPS">, number>> = {
  HTTP: LAYOUT.PROTOCOL_HTTP,
  GRPC: LAYOUT.PROTOCOL_GRPC,
  TLS: LAYOUT.PROTOCOL_TLS,
  TCP: LAYOUT.PROTOCOL_TCP,
};

function readServices({ field, text }: BundleReader, hosts: readonly HostRecord[]): ExternalService[] {
  const owned = new Map<number, { readonly hosts: Set<string>; readonly ports: Map<number, number> }>();
  for (const { pattern, owners } of hosts) {
    for (const { service, port, protocol } of owners) {
      const known = owned.get(service) ?? { hosts: new Set(), ports: new Map() };
      owned.set(service, known);
      known.hosts.add(pattern);
      known.ports.set(port, protocol);
    }
  }
  return Array.from({ length: field(LAYOUT.H_SERVICE_COUNT) }, (_, index) => {
    const at = field(LAYOUT.H_SERVICES) + index * LAYOUT.SERVICE_SIZE;
    const own = owned.get(index);
    return {
      scope: text(field(at + LAYOUT.SERVICE_SCOPE)) ?? "",
      name: text(field(at + LAYOUT.SERVICE_NAME)) ?? "",
      at: NOWHERE,
      hosts: [...(own?.hosts ?? [])].sort(),
      ports: [...(own?.ports ?? [])]
        .map(([number, protocol]) => ({ number, protocol: keyOf(PROTOCOLS, protocol) }))
        .sort((one, other) => one.number - other.number),
      tls: null,
      connections: null,
      mirror: null,
      split: [],
      addresses: [],
      internal: (field(at + LAYOUT.SERVICE_FLAGS) & LAYOUT.SERVICE_INTERNAL) !== 0,
    };
  });
}

function readGroups(
  bundle: Uint8Array,
  { field, text }: BundleReader,
  members: ReadonlyMap<number, readonly IdentitySelector[]>,
): IdentityGroup[] {
  return Array.from({ length: field(LAYOUT.H_GROUP_COUNT) }, (_, index) => {
    const at = field(LAYOUT.H_GROUPS) + index * LAYOUT.GROUP_SIZE;
    const subject = field(at + LAYOUT.GROUP_SUBJECT);
    const fallback = bundle[field(LAYOUT.H_SUBJECTS) + subject] ?? LAYOUT.FALLBACK_UNSET;
    return {
      scope: text(field(at + LAYOUT.GROUP_SCOPE)) ?? "",
      name: text(field(at + LAYOUT.GROUP_NAME)) ?? "",
      at: NOWHERE,
      members: members.get(subject) ?? [],
      fallback: fallback === LAYOUT.FALLBACK_UNSET ? null : keyOf(FALLBACKS, fallback),
    };
  });
}

/** What one rule is for and aims at, as its items say. */
interface RuleParts {
  readonly from: Map<number, readonly SubjectSelector[] | null>;
  readonly to: Map<string, RuleTarget | null>;
}

function readPolicies(
  bundle: Uint8Array,
  reader: BundleReader,
  members: ReadonlyMap<number, readonly IdentitySelector[]>,
  hosts: readonly HostRecord[],
): EgressPolicy[] {
  const { field, text } = reader;
  const parts = readItems(bundle, reader, members, hosts);
  const rules = new Map<number, { readonly rule: Rule; readonly report: boolean }[]>();
  const view = new DataView(bundle.buffer, bundle.byteOffset, bundle.byteLength);
  for (const [number, { from, to }] of parts.entries()) {
    const at = field(LAYOUT.H_RULES) + number * LAYOUT.RULE_SIZE;
    const flags = field(at + LAYOUT.RULE_FLAGS);
    const upgrades = field(at + LAYOUT.RULE_UPGRADES);
    const subjects = [...from.values()].flatMap((each) => each ?? []);
    const targets = [...to.values()].flatMap((each) => each ?? []);
    const rule: Rule = {
      name: text(field(at + LAYOUT.RULE_NAME)) ?? "",
      at: NOWHERE,
      effect: (flags & LAYOUT.RULE_DENY) !== 0 ? "deny" : "allow",
      from: [...from.values()].includes(null) ? null : subjects,
      to: [...to.values()].includes(null) ? null : targets,
      upgrades: upgrades === 0 ? [] : refsAt(reader, upgrades + 4, field(upgrades)),
      notBefore: finite(view.getFloat64(at + LAYOUT.RULE_NOT_BEFORE, true)),
      expires: finite(view.getFloat64(at + LAYOUT.RULE_EXPIRES, true)),
      when: readWhen(reader, flags >>> LAYOUT.RULE_WHEN_AT),
      ticket: text(field(at + LAYOUT.RULE_TICKET)),
      reason: text(field(at + LAYOUT.RULE_REASON)),
    };
    const policy = field(at + LAYOUT.RULE_POLICY);
    const list = rules.get(policy) ?? [];
    rules.set(policy, list);
    list.push({ rule, report: (flags & LAYOUT.RULE_REPORT) !== 0 });
  }
  return Array.from({ length: field(LAYOUT.H_POLICY_COUNT) }, (_, index) => {
    const at = field(LAYOUT.H_POLICIES) + index * LAYOUT.POLICY_SIZE;
    const own = rules.get(index) ?? [];
    return {
      scope: text(field(at + LAYOUT.POLICY_SCOPE)) ?? "",
      name: text(field(at + LAYOUT.POLICY_NAME)) ?? "",
      at: NOWHERE,
      owner: text(field(at + LAYOUT.POLICY_OWNER)) ?? "",
      mode: own.some(({ report }) => report) ? "report" : "enforce",
      rules: own.map(({ rule }) => rule),
    };
  });
}

function readItems(
  bundle: Uint8Array,
  reader: BundleReader,
  members: ReadonlyMap<number, readonly IdentitySelector[]>,
  hosts: readonly HostRecord[],
): RuleParts[] {
  const { field, text } = reader;
  const parts = Array.from(
    { length: field(LAYOUT.H_RULE_COUNT) },
    (): RuleParts => ({ from: new Map(), to: new Map() }),
  );
  const groups = new Map<number, SubjectSelector>();
  const readGroup = (at: number): void => {
    const scope = text(field(at + LAYOUT.GROUP_SCOPE)) ?? "";
    const name = text(field(at + LAYOUT.GROUP_NAME)) ?? "";
    groups.set(field(at + LAYOUT.GROUP_SUBJECT), { kind: "group", scope, name });
  };
  const partsAt = field(LAYOUT.H_GROUPS) + field(LAYOUT.H_GROUP_COUNT) * LAYOUT.GROUP_SIZE;
  for (let at = field(LAYOUT.H_GROUPS); at < partsAt; at += LAYOUT.GROUP_SIZE) readGroup(at);
  for (let index = 0; index < field(partsAt); index++) readGroup(partsAt + 4 + index * LAYOUT.GROUP_SIZE);
  const everyone = field(LAYOUT.H_EVERYONE);
  const subjectOf = (subject: number): readonly SubjectSelector[] | null => {
    const group = groups.get(subject);
    if (group !== undefined) return [group];
    if (everyone !== LAYOUT.NONE && subject === (everyone & LAYOUT.SUBJECT_ID_MASK)) return null;
    return members.get(subject) ?? [];
  };
  const targetOf = createTargetReader(reader, hosts, createMatcherReader(bundle, reader));
  for (let slot = 0; slot < field(LAYOUT.H_PAIR_SLOTS); slot++) {
    const at = field(LAYOUT.H_PAIR_TABLE) + slot * LAYOUT.PAIR_SLOT;
    const list = field(at + 8);
    if (list === 0) continue;
    const subject = field(at);
    const target = field(at + 4);
    for (let index = 0; index < field(list); index++) {
      const item = list + 4 + index * LAYOUT.ITEM_SIZE;
      const of = parts[field(item + LAYOUT.ITEM_RULE)];
      const matcher = field(item + LAYOUT.ITEM_MATCHER);
      of?.from.set(subject, subjectOf(subject));
      of?.to.set(`${target}/${matcher}`, targetOf(target, matcher));
    }
  }
  return parts;
}

function createTargetReader(
  { field, text }: BundleReader,
  hosts: readonly HostRecord[],
  matcher: MatcherReader,
): (target: number, offset: number) => RuleTarget | null {
  const patterns = new Map(hosts.map(({ target, pattern }) => [target, pattern]));
  const services = new Map<number, ServiceRef>();
  const serviceOf = (index: number): ServiceRef => {
    const known = services.get(index);
    if (known !== undefined) return known;
    const at = field(LAYOUT.H_SERVICES) + index * LAYOUT.SERVICE_SIZE;
    const made = {
      scope: text(field(at + LAYOUT.SERVICE_SCOPE)) ?? "",
      name: text(field(at + LAYOUT.SERVICE_NAME)) ?? "",
    };
    services.set(index, made);
    return made;
  };
  return (target, offset) => {
    if (target === LAYOUT.TARGET_ANY) return null;
    if (target > field(LAYOUT.H_SERVICE_COUNT)) {
      const pattern = patterns.get(target);
      if (pattern === undefined) throw new RangeError(`the bundle holds the unknown target ${target}`);
      return { service: null, hosts: [pattern], ...matcher(offset) };
    }
    return { service: serviceOf(target - 1), hosts: null, ...matcher(offset) };
  };
}

function refsAt({ field, text }: BundleReader, at: number, count: number): string[] {
  return Array.from({ length: count }, (_, index) => text(field(at + index * 4)) ?? "");
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
