import type { Canonicaliser } from "./canonicaliser.ts";
import { parseHostPattern, patternCovers } from "./host-pattern.ts";
import { LIMITS } from "./limits.ts";
import type { ListCache } from "./list-cache.ts";
import type {
  EgressGateway,
  ExternalService,
  HeaderCondition,
  HostPattern,
  PathPattern,
  RuleTarget,
  Scope,
  WhenExpression,
} from "./model.ts";
import { readsRequest } from "./model.ts";
import { parsePathPattern } from "./path-pattern.ts";
import type { RawDocument } from "./raw-document.ts";
import type { Registry } from "./registry.ts";
import { compareText, type Reporter } from "./reporter.ts";
import type { RuleSpec, RuleTargetSpec } from "./schema/egress-policy.ts";
import { parseHeaderName, parseHeaderValue, parseMethod } from "./token.ts";
import type { DocumentPath } from "./yaml-source.ts";

/** What reading rule targets needs. */
export interface TargetContext {
  readonly gateway: EgressGateway;
  readonly canon: Canonicaliser;
  readonly registry: Registry;
  readonly reporter: Reporter;
  readonly lists: ConditionLists;
}

/** Conditions that targets share. */
export interface ConditionLists {
  readonly ports: ListCache<readonly number[]>;
  readonly methods: ListCache<readonly string[]>;
  /** `any` = every path. */
  readonly paths: ListCache<readonly PathPattern[] | "any">;
}

const NO_HEADERS: readonly HeaderCondition[] = [];
const OPAQUE: ReadonlySet<string> = new Set(["TLS", "HTTPS", "TCP"]);

/** What of its rule a target needs to know. */
export interface RuleOfTarget {
  readonly effect: RuleSpec["effect"];
  readonly when: WhenExpression | null;
  /** Where the rule stands in its document. */
  readonly path: DocumentPath;
}

/** Reads one `to` of a rule. Null (reported) when it aims at nothing. */
export function buildTarget(
  document: RawDocument,
  path: DocumentPath,
  spec: RuleTargetSpec,
  rule: RuleOfTarget,
  scope: Scope,
  context: TargetContext,
): RuleTarget | null {
  const { reporter } = context;
  const { effect } = rule;
  if ((spec.service === undefined) === (spec.hosts === undefined)) {
    const message =
      spec.service === undefined
        ? "a target names a `service` or `hosts`"
        : "a target has `service` or `hosts`, not both";
    reporter.report(document, path, "service-or-hosts", message);
    return null;
  }
  const service = spec.service === undefined ? null : findService(document, path, spec.service, scope, context);
  if (spec.service !== undefined && service === null) return null;
  const hosts = spec.hosts === undefined ? null : buildHosts(document, path, spec.hosts, effect, scope, context);
  const aimed = service !== null ? [service] : (hosts?.services ?? []);
  // A deny by `hosts` also stops targets that a namespace registers, on ports nobody here can see.
  if (service !== null || effect === "allow") checkPorts(document, path, spec, aimed, reporter);
  checkOpaque(document, path, spec, rule, aimed, reporter);
  return {
    service: service === null ? null : { scope: service.scope, name: service.name },
    hosts: hosts?.patterns ?? null,
    ports: buildPorts(spec.ports, context),
    methods: buildMethods(document, path, spec.methods, context),
    paths: buildPaths(document, path, spec.paths, context),
    headers: spec.headers === undefined ? NO_HEADERS : buildHeaders(document, path, spec.headers, reporter),
  };
}

function findService(
  document: RawDocument,
  path: DocumentPath,
  name: string,
  scope: Scope,
  { registry, reporter }: TargetContext,
): ExternalService | null {
  const service = registry.service(scope, name);
  if (service !== null) return service;
  const meant = registry.nearService(scope, name);
  const where = scope === "" ? "among the global services" : `visible to namespace \`${scope}\``;
  reporter.report(document, [...path, "service"], "unknown-service", `there is no service \`${name}\` ${where}`, meant);
  return null;
}

function buildHosts(
  document: RawDocument,
  path: DocumentPath,
  texts: readonly string[],
  effect: RuleSpec["effect"],
  scope: Scope,
  { gateway, canon, registry, reporter }: TargetContext,
): { readonly patterns: readonly HostPattern[]; readonly services: readonly ExternalService[] } {
  const patterns = new Set<HostPattern>();
  const services = new Set<ExternalService>();
  for (const [i, text] of texts.entries()) {
    const here = [...path, "hosts", i];
    const parsed = reporter.take(document, here, "invalid-host", parseHostPattern(text, canon, gateway.clusterDomain));
    if (parsed === null) continue;
    const covering = registry.covering(scope, parsed.pattern);
    const covered = effect === "deny" ? registry.covered(scope, parsed.pattern) : [];
    if (covering.length + covered.length === 0) {
      const message =
        effect === "allow"
          ? `no service visible here registers \`${text}\` or a wildcard over it`
          : `\`${text}\` neither covers nor equals a host that a service visible here registers`;
      reporter.report(document, here, "host-not-registered", message);
    }
    for (const service of [...covering, ...covered]) services.add(service);
    patterns.add(parsed.pattern);
  }
  return { patterns: [...patterns].sort(), services: [...services] };
}

/** `ports` are what the application dials: a port that nothing aimed at has can never match. */
function checkPorts(
  document: RawDocument,
  path: DocumentPath,
  spec: RuleTargetSpec,
  aimed: readonly ExternalService[],
  reporter: Reporter,
): void {
  if (aimed.length === 0) return;
  const ports = spec.ports ?? [];
  for (let i = 0; i < ports.length; i++) {
    const port = ports[i];
    if (aimed.some((service) => service.ports.some(({ number }) => number === port))) continue;
    const has = [...new Set(aimed.flatMap((service) => service.ports.map(({ number }) => number)))].sort(
      (a, b) => a - b,
    );
    const origin = aimed.some((service) => service.tls?.port === port) ? " (`tls.port` is what the gateway dials)" : "";
    const message = `port ${port} is none that the application dials there${origin}: ${has.join(", ")}`;
    reporter.report(document, [...path, "ports", i], "unknown-port", message, has.length === 1 ? String(has[0]) : null);
  }
}

/** Methods, paths and headers cannot be seen on TLS and TCP. */
function checkOpaque(
  document: RawDocument,
  path: DocumentPath,
  spec: RuleTargetSpec,
  rule: RuleOfTarget,
  aimed: readonly ExternalService[],
  reporter: Reporter,
): void {
  const { ports: named } = spec;
  const opaque: number[] = [];
  let seen = 0;
  for (const { ports } of aimed) {
    for (const { number, protocol } of ports) {
      if (named !== undefined && !named.includes(number)) continue;
      if (OPAQUE.has(protocol)) opaque.push(number);
      else seen += 1;
    }
  }
  if (opaque.length === 0) return;
  const key = lookedAt(spec, rule);
  if (key === null) return;
  const place = [...(key === "when" ? rule.path : path), key];
  const what = key === "when" ? "what `when` reads of the request" : `\`${key}\``;
  const numbers = [...new Set(opaque)].sort((a, b) => a - b).join(", ");
  if (seen === 0) {
    const message = `${what} cannot be seen on port ${numbers}: the application speaks TLS or TCP there`;
    reporter.report(document, place, "opaque-conditions", message);
    return;
  }
  const message = `${what} cannot be seen on port ${numbers}: there an allow never matches and a deny always does; name the \`ports\``;
  reporter.report(document, place, "opaque-conditions-mixed", message);
}

/** The first condition on what TLS and TCP hide. */
function lookedAt(spec: RuleTargetSpec, { when }: RuleOfTarget): "methods" | "paths" | "headers" | "when" | null {
  if (spec.methods !== undefined) return "methods";
  if (spec.paths !== undefined && !spec.paths.includes("*")) return "paths";
  if (spec.headers !== undefined) return "headers";
  return when !== null && readsRequest(when.reads) ? "when" : null;
}

function buildPorts(ports: readonly number[] | undefined, { lists }: TargetContext): readonly number[] | null {
  if (ports === undefined) return null;
  return lists.ports.get(ports, () => ({ list: [...new Set(ports)].sort((a, b) => a - b), isValid: true }));
}

function buildMethods(
  document: RawDocument,
  path: DocumentPath,
  texts: readonly string[] | undefined,
  { lists, reporter }: TargetContext,
): readonly string[] | null {
  if (texts === undefined) return null;
  return lists.methods.get(texts, () => {
    const methods = texts.flatMap((text, i) => {
      const method = reporter.take(document, [...path, "methods", i], "invalid-method", parseMethod(text));
      return method === null ? [] : [method];
    });
    return { list: [...new Set(methods)].sort(), isValid: methods.length === texts.length };
  });
}

function buildPaths(
  document: RawDocument,
  path: DocumentPath,
  texts: readonly string[] | undefined,
  { lists, reporter }: TargetContext,
): readonly PathPattern[] | null {
  if (texts === undefined) return null;
  const list = lists.paths.get(texts, () => {
    const patterns = new Map<string, PathPattern>();
    let isValid = true;
    for (const [i, text] of texts.entries()) {
      const pattern = reporter.take(document, [...path, "paths", i], "invalid-path", parsePathPattern(text));
      if (pattern === null) isValid = false;
      else patterns.set(text, pattern);
    }
    const sorted = (): PathPattern[] => [...patterns.values()].sort((a, b) => compareText(a.text, b.text));
    return { list: patterns.has("*") ? "any" : sorted(), isValid };
  });
  return list === "any" ? null : list;
}

function buildHeaders(
  document: RawDocument,
  path: DocumentPath,
  spec: Readonly<Record<string, readonly string[]>>,
  reporter: Reporter,
): readonly HeaderCondition[] {
  const headers: HeaderCondition[] = [];
  if (Object.keys(spec).length > LIMITS.headersPerTarget) {
    const message = `a target looks at no more than ${LIMITS.headersPerTarget} headers`;
    reporter.report(document, [...path, "headers"], "limit-exceeded", message);
  }
  for (const [text, values] of Object.entries(spec)) {
    const here = [...path, "headers", text];
    const name = reporter.take(document, here, "invalid-header", parseHeaderName(text));
    for (const [i, value] of values.entries()) {
      reporter.take(document, [...here, i], "invalid-header", parseHeaderValue(value));
    }
    if (name !== null) headers.push({ name, values: [...new Set(values)].sort() });
  }
  return headers.sort((a, b) => compareText(a.name, b.name));
}

/** Does an allow by `hosts` bind to this service at all? */
export function aimsAt(target: RuleTarget, service: ExternalService): boolean {
  if (target.service !== null) return target.service.scope === service.scope && target.service.name === service.name;
  return (target.hosts ?? []).some((inner) => service.hosts.some((outer) => patternCovers(outer, inner)));
}
