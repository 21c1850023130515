import { createBundleReader } from "./bundle-reader.ts";
import { LAYOUT } from "./layout.ts";
import { readHosts, readIdentities } from "./read-tables.ts";
import { bundleRevision } from "./revision.ts";

/** What is in a bundle. Lists are sorted. */
export interface BundleSummary {
  readonly revision: string;
  readonly version: number;
  readonly bytes: number;
  readonly securityModel: string;
  readonly fallback: string;
  readonly trustDomains: readonly string[];
  readonly federatedTrustDomains: readonly string[];
  readonly counts: {
    readonly rules: number;
    readonly policies: number;
    readonly services: number;
    readonly groups: number;
    readonly hosts: number;
    readonly subjects: number;
    /** Distinct conditions in CEL: decisions that need one are made by a server. */
    readonly expressions: number;
  };
  /** Registered hosts and patterns that rules name, wildcards as `*.suffix`. */
  readonly hosts: readonly string[];
  /** Workloads named one by one (exact identities), as SPIFFE IDs. */
  readonly workloads: readonly string[];
  readonly invalidNamespaces: readonly string[];
}

const MODELS = ["AllowAny", "RegistryOnly", "Gateway"];
const FALLBACKS = ["deny", "report", "allow"];

/** Reads a bundle's summary, or null when the bytes are not a bundle of this version. */
export function inspectBundle(bytes: Uint8Array): BundleSummary | null {
  if (bytes.length < LAYOUT.HEADER_SIZE) return null;
  const reader = createBundleReader(bytes);
  const { field, whenCount } = reader;
  const version = field(LAYOUT.H_VERSION);
  if (field(LAYOUT.H_MAGIC) !== LAYOUT.MAGIC) return null;
  if (version !== LAYOUT.VERSION && (version !== LAYOUT.VERSION_WHEN || bytes.length < LAYOUT.HEADER_SIZE_WHEN))
    return null;
  if (field(LAYOUT.H_LENGTH) !== bytes.length) return null;
  const hosts = readHosts(bytes, reader).map(({ pattern }) => pattern);

  const own: string[] = [];
  const federated = new Map<number, string>();
  const exact: { readonly domain: number; readonly path: string }[] = [];
  const invalid: string[] = [];
  for (const { kind, flags, key, number } of readIdentities(bytes, reader)) {
    if (kind === LAYOUT.ID_TRUST_DOMAIN) {
      if ((flags & LAYOUT.IE_FLAG_OWN) !== 0) own.push(key);
      else federated.set(number, key);
    } else if (kind === LAYOUT.ID_EXACT) exact.push({ domain: number, path: key });
    else if (kind === LAYOUT.ID_NAMESPACE && (flags & LAYOUT.IE_FLAG_INVALID) !== 0) invalid.push(key);
  }
  const first = reader.text(field(LAYOUT.H_OWN_DOMAIN)) ?? "";
  const domainOf = (number: number): string => (number === 0 ? first : (federated.get(number) ?? ""));
  return {
    revision: bundleRevision(bytes),
    version,
    bytes: bytes.length,
    securityModel: MODELS[field(LAYOUT.H_MODEL)] ?? "unknown",
    fallback: FALLBACKS[field(LAYOUT.H_FALLBACK)] ?? "unknown",
    trustDomains: [first, ...own.filter((name) => name !== first).sort()],
    federatedTrustDomains: [...federated.values()].sort(),
    counts: {
      rules: field(LAYOUT.H_RULE_COUNT),
      policies: field(LAYOUT.H_POLICY_COUNT),
      services: field(LAYOUT.H_SERVICE_COUNT),
      groups: field(LAYOUT.H_GROUP_COUNT),
      hosts: hosts.length,
      subjects: field(LAYOUT.H_SUBJECT_COUNT),
      expressions: whenCount(),
    },
    hosts: hosts.sort(),
    workloads: exact.map(({ domain, path }) => `spiffe://${domainOf(domain)}${path}`).sort(),
    invalidNamespaces: invalid.sort(),
  };
}
