import { parseExpression } from "../../src/policy/when/parse-expression.ts";
import type { PlacedDocument, Rule, RuleTarget, Selector } from "../oracle/documents.ts";
import type { GroupDraft, RuleDraft, ServiceDraft, SetDraft, TargetDraft } from "./set-draft.ts";
import {
  ACCOUNTS,
  covers,
  FEDERATED,
  INTERNAL,
  NAMESPACES,
  PATTERNS,
  PROTOCOLS,
  pick,
  REFUSABLE,
  ROOT_NAMESPACE,
  SCOPES,
} from "./universe.ts";

/** A valid set as raw documents. The documents of refused namespaces are left out, as a server without last good ones has it. */
export interface GeneratedSet {
  readonly documents: readonly PlacedDocument[];
  readonly invalidNamespaces: readonly string[];
}

interface Registered {
  readonly scope: string;
  readonly name: string;
  readonly hosts: readonly string[];
  readonly ports: readonly { readonly number: number; readonly protocol: string }[];
}

interface Context {
  readonly domains: readonly string[];
  readonly federated: boolean;
  /** Root rules speak of nearly everyone and ask for little, so that most of them match at once. */
  readonly wide: boolean;
  readonly services: readonly Registered[];
  readonly groups: readonly { readonly scope: string; readonly name: string }[];
}

type Conditions = Pick<TargetDraft, "ports" | "methods" | "paths" | "headers">;
const BARE: Conditions = { ports: undefined, methods: undefined, paths: undefined, headers: undefined };

/** Names whose order as parts of an id is another than their own: `-` comes before `/`. */
const POLICY_NAMES = ["p", "p-x", "p-x-y", "shop", "zoo", "a-b"] as const;
const RULE_NAMES = ["r", "a-", "z"] as const;

/** Makes a draft a valid set: resolves references, drops what cannot be valid. */
export function realise(draft: SetDraft): GeneratedSet {
  const invalidNamespaces = draft.invalid === 0 ? [...REFUSABLE].sort() : draft.invalid === 1 ? ["broken"] : [];
  const scoped = <T extends { scope: number }>(drafts: readonly T[]) =>
    drafts
      .map((each) => ({ each, scope: pick(SCOPES, each.scope) }))
      .filter(({ scope }) => !invalidNamespaces.includes(scope))
      .sort((a, b) => Number(a.scope !== "") - Number(b.scope !== ""));
  const domains = draft.domains ?? ["cluster.local"];
  const context = { domains, federated: draft.federated !== 0, wide: draft.wide === 0 };
  const registered: (Registered & { document: PlacedDocument })[] = [];
  for (const [index, { each, scope }] of scoped(draft.services).entries()) {
    const made = makeService(each, scope, index, registered);
    if (made !== null) registered.push(made);
  }
  const groups = scoped(draft.groups).map(({ each, scope }, index) => ({ each, scope, name: `g${index}` }));
  const all: Context = { ...context, services: registered, groups };
  const named = new Set<string>();
  const policies = scoped(draft.policies).flatMap(({ each, scope }, index) => {
    const wish = pick(POLICY_NAMES, each.place);
    const name = named.has(`${scope}/${wish}`) ? `${wish}-${index}` : wish;
    named.add(`${scope}/${name}`);
    const rules = each.rules.flatMap((rule, at) =>
      makeRule(rule, scope, `${pick(RULE_NAMES, rule.timeFormat)}${at}`, all),
    );
    const spec = { owner: `${name}@example.com`, ...(each.report === 0 ? { mode: "report" } : {}), rules };
    return rules.length === 0 ? [] : [placed("EgressPolicy", scope, name, each.place, spec)];
  });
  return {
    invalidNamespaces,
    documents: [
      gatewayDocument(draft),
      ...registered.map(({ document }) => document),
      ...groups.map(({ each, scope, name }) =>
        placed("IdentityGroup", scope, name, each.place, makeGroup(each, scope, all)),
      ),
      ...policies,
    ],
  };
}

function gatewayDocument({ model, domains, federated, clusterDomain, fallback }: SetDraft): PlacedDocument {
  const spec = withoutUndefined({
    ...{ securityModel: model, trustDomains: domains, clusterDomain, fallback },
    federatedTrustDomains: federated !== 0 ? [FEDERATED] : undefined,
    selector: { istio: "egressgateway" },
  });
  return placed("EgressGateway", "", "gateway", 1, spec);
}

/** Top of the directory or subdirectory, with or without a namespace of its own, as `choice` says and §1 allows. */
function placed(kind: string, scope: string, name: string, choice: number, spec: object): PlacedDocument {
  const namespace = scope === "" ? ROOT_NAMESPACE : scope;
  // The root namespace has a subdirectory like any other.
  const top = scope === "" ? choice % 7 !== 0 : choice % 3 === 0;
  const needed = top && (scope !== "" || kind === "EgressPolicy" || kind === "EgressGateway");
  const metadata = needed || choice % 2 === 0 ? { name, namespace } : { name };
  return { place: top ? "" : namespace, doc: { apiVersion: "sallyport.dev/v1alpha1", kind, metadata, spec } };
}

function makeService(draft: ServiceDraft, scope: string, index: number, before: readonly Registered[]) {
  const internal = scope === "" && draft.internal === 0;
  const ports = draft.ports.map((number, at) => ({ number, protocol: pick(PROTOCOLS, draft.protocols + at * 3) }));
  const free = (host: string) =>
    !before.some(
      (each) =>
        each.hosts.includes(host) && each.ports.some(({ number }) => draft.ports.some((port) => port === number)),
    );
  const wanted: readonly string[] = internal
    ? draft.hosts.map((_, at) => pick(INTERNAL, draft.name + at))
    : draft.hosts;
  const hosts = [...new Set(wanted)].filter(free);
  // Now and then a namespace gives a service the name of a global one.
  const name = scope !== "" && draft.name % 4 === 0 ? "s0" : `s${index}`;
  if (hosts.length === 0 || before.some((each) => each.scope === scope && each.name === name)) return null;
  const spec = withoutUndefined({ hosts, ports, internal: internal ? true : undefined });
  return { scope, name, hosts, ports, document: placed("ExternalService", scope, name, draft.place, spec) };
}

function makeGroup(draft: GroupDraft, scope: string, context: Context): object {
  const members = unique(draft.members.map((each) => makeSelector(each, scope, { ...context, groups: [] })));
  return withoutUndefined({ members, fallback: scope === "" ? draft.fallback : undefined });
}

/** A selector that a document of the scope may hold. */
function makeSelector(choice: number, scope: string, { domains, federated, wide, groups }: Context): Selector {
  const namespace = scope === "" ? pick(NAMESPACES, choice) : scope;
  const account = pick(ACCOUNTS, Math.floor(choice / 2));
  const domain = pick(domains, Math.floor(choice / 3));
  const listed = federated ? [...domains, FEDERATED] : domains;
  const anyDomain = pick(listed, Math.floor(choice / 5));
  const visible = groups.filter((each) => each.scope === "" || each.scope === scope);
  const selectors: Selector[] = [
    { serviceAccount: `${namespace}/${account}` },
    { namespace },
    { spiffe: `spiffe://${domain}/ns/${namespace}/sa/${account}` },
  ];
  if (visible.length > 0) selectors.push({ group: pick(visible, Math.floor(choice / 7)).name });
  if (scope === "" && wide) {
    const own = `spiffe://${domain}`;
    const others: Selector[] = [{ trustDomain: domain }, { spiffe: `${own}/*` }, { spiffe: `${own}/ns/shop/*` }];
    return pick([...selectors.slice(3), ...others, { namespace: "shop" }, { serviceAccount: "shop/cart" }], choice);
  }
  if (scope === "") {
    selectors.push({ trustDomain: anyDomain }, { spiffe: `spiffe://${anyDomain}/*` });
    const rest = ["/batch/*", "/ns/shop/*", "/batch", "/batch/x", "", `/ns/${namespace}/sa/${account}`];
    selectors.push({ spiffe: `spiffe://${anyDomain}${pick(rest, Math.floor(choice / 11))}` });
  }
  return pick(selectors, choice);
}

function makeRule(draft: RuleDraft, scope: string, name: string, context: Context): Rule[] {
  const effect = draft.deny === 0 ? "deny" : "allow";
  const targets = unique(draft.to.flatMap((each) => makeTarget(each, scope, effect, context)));
  const everyone = effect === "deny" && scope === "" && draft.everyone === 0;
  const everywhere = effect === "deny" && (draft.everywhere === 0 || targets.length === 0);
  if (targets.length === 0 && !everywhere) return [];
  const { notBefore: one, expires: other } = draft;
  const crossed = one !== undefined && other !== undefined && one > other;
  const window = crossed ? { notBefore: other, expires: one } : { notBefore: one, expires: other };
  const empty = one !== undefined && one === other;
  const rule = withoutUndefined<Rule & { reason?: string; ticket?: string }>({
    ...{ name, effect: effect === "deny" || draft.timeFormat % 2 === 0 ? effect : undefined },
    from: everyone ? undefined : unique(draft.from.map((each) => makeSelector(each, scope, context))),
    to: everywhere ? undefined : targets.map(({ to }) => to),
    upgrades: effect === "allow" ? draft.upgrades : undefined,
    notBefore: empty ? undefined : time(window.notBefore, draft.timeFormat),
    expires: time(window.expires, draft.timeFormat + 1),
    when: makeWhen(draft, targets),
    reason: effect === "deny" || draft.timeFormat % 5 === 0 ? `because of ${draft.timeFormat}` : undefined,
    ticket: draft.timeFormat % 3 === 0 ? `SEC-${draft.timeFormat}` : undefined,
  });
  return [rule];
}

/** Of many workloads and targets only what costs little: a namespace's rules may cost a request only so much. */
function makeWhen({ when, from }: RuleDraft, targets: readonly MadeTarget[]): string | undefined {
  if (when === undefined) return undefined;
  const isVisible = targets.every(({ visible }) => visible);
  const items = Math.max(1, from.length) * Math.max(1, targets.length);
  return (isVisible ? [when.request, when.everywhere] : [when.everywhere]).find((text) => {
    const parsed = parseExpression(text);
    return parsed.ok && (30 + parsed.value.cost / 15) * items <= 100;
  });
}

/** A target, and whether some port of it shows requests. */
interface MadeTarget {
  readonly to: RuleTarget;
  readonly visible: boolean;
}

function makeTarget(draft: TargetDraft, scope: string, effect: string, { services, wide }: Context): MadeTarget[] {
  const visible = services.filter((each) => each.scope === "" || each.scope === scope);
  if (visible.length === 0) return [];
  const conditions = wide && draft.service % 4 !== 0 ? BARE : draft;
  if (draft.byService) {
    const service = pick(visible, draft.service);
    // A namespace's own service hides the global one of its name.
    const meant = visible.find((each) => each.name === service.name && each.scope === scope) ?? service;
    return [withConditions({ service: meant.name }, conditions, [meant])];
  }
  const fits = (pattern: string, host: string) => covers(host, pattern) || (effect === "deny" && covers(pattern, host));
  const reached = (pattern: string) => visible.filter(({ hosts }) => hosts.some((host) => fits(pattern, host)));
  const candidates: string[] = [...PATTERNS, ...INTERNAL].filter((pattern) => reached(pattern).length > 0);
  const hosts = [...new Set(draft.hosts.map((each) => pick(candidates, each)))];
  return [withConditions({ hosts }, conditions, hosts.flatMap(reached), effect === "deny")];
}

/** Adds ports (those of the services, unless any will do) and, where not all ports are opaque, what only HTTP shows. */
function withConditions(
  to: RuleTarget,
  draft: Conditions,
  services: readonly Registered[],
  anyPort = false,
): MadeTarget {
  const has = (port: number) => anyPort || services.some(({ ports }) => ports.some(({ number }) => number === port));
  const wanted = draft.ports?.filter(has) ?? [];
  const ports = wanted.length === 0 ? undefined : wanted;
  const used = services
    .flatMap((each) => each.ports)
    .filter(({ number }) => ports?.some((port) => port === number) ?? true);
  const visible = used.length === 0 || used.some(({ protocol }) => protocol === "HTTP" || protocol === "GRPC");
  const conditions = {
    methods: draft.methods,
    paths: draft.paths,
    headers: draft.headers === undefined ? undefined : Object.fromEntries(draft.headers),
  };
  return { to: withoutUndefined({ ...to, ports, ...(visible ? conditions : {}) }), visible };
}

function time(ms: number | undefined, format: number): string | undefined {
  if (ms === undefined) return undefined;
  const utc = new Date(ms).toISOString();
  if (format % 3 === 0) return utc;
  if (format % 3 === 1) return utc.replace(".000", "");
  return new Date(ms + 5_400_000).toISOString().replace("Z", "+01:30");
}

function unique<T>(list: readonly T[]): T[] {
  return [...new Map(list.map((each) => [JSON.stringify(each), each])).values()];
}

function withoutUndefined<T extends object>(value: { readonly [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T;
}
