import { createPublicKey } from "node:crypto";
import type { Canonicaliser } from "./canonicaliser.ts";
import { parseDurationMs } from "./duration.ts";
import type { Authorizer, EgressGateway, FilterSource } from "./model.ts";
import type { RawDocument, RawDocumentOf } from "./raw-document.ts";
import { positionOf, type Reporter } from "./reporter.ts";
import { fail, ok, type Result } from "./result.ts";
import { parseTrustDomain } from "./token.ts";

type GatewayDocument = RawDocumentOf<"EgressGateway">;

/** The one gateway among the documents, or null (reported) when there is none, several, or it is in a tenant's directory. */
export function findGateway(documents: readonly RawDocument[], reporter: Reporter): GatewayDocument | null {
  const all = documents.filter((each): each is GatewayDocument => each.kind === "EgressGateway");
  const top = all.filter((each) => each.place === "");
  for (const each of all) {
    if (each.place === "") continue;
    reporter.report(
      each,
      ["kind"],
      "gateway-not-root",
      "an EgressGateway lies in the policy directory itself, not below",
    );
  }
  for (const each of top.slice(1)) {
    reporter.report(
      each,
      ["kind"],
      "second-gateway",
      `a policy set has one EgressGateway: \`${top[0]?.name}\` is another`,
    );
  }
  return top[0] ?? null;
}

/** Checks and defaults the gateway's settings. */
export function buildGateway(
  document: GatewayDocument,
  canon: Canonicaliser,
  reporter: Reporter,
): EgressGateway | null {
  const { spec } = document;
  if (document.namespace === null) {
    reporter.report(
      document,
      ["metadata"],
      "missing-namespace",
      "an EgressGateway names its namespace: the root namespace",
    );
    return null;
  }
  const seen = new Set<string>();
  const domains = (key: "trustDomains" | "federatedTrustDomains"): string[] =>
    spec[key].filter((domain, i) => {
      const path = ["spec", key, i];
      if (reporter.take(document, path, "invalid-trust-domain", parseTrustDomain(domain)) === null) return false;
      if (!seen.has(domain)) return seen.add(domain) !== null;
      reporter.report(document, path, "duplicate-trust-domain", `trust domain \`${domain}\` is listed twice`);
      return false;
    });
  const trustDomains = domains("trustDomains");
  const federatedTrustDomains = domains("federatedTrustDomains");
  const clusterDomain = parseClusterDomain(spec.clusterDomain, canon);
  reporter.take(document, ["spec", "clusterDomain"], "invalid-host", clusterDomain);
  if (trustDomains.length === 0) return null;
  return {
    name: document.name,
    namespace: document.namespace,
    at: positionOf(document),
    securityModel: spec.securityModel,
    trustDomains,
    federatedTrustDomains: federatedTrustDomains.toSorted(),
    clusterDomain: spec.clusterDomain,
    fallback: spec.fallback ?? (spec.securityModel === "AllowAny" ? "report" : "deny"),
    selector: spec.selector,
    authorizer: buildAuthorizer(document, reporter),
    seat: buildSeat(document, reporter),
    filter: buildFilter(document, reporter),
    publicKeys: buildPublicKeys(document, reporter),
  };
}

/** Names under it are guarded, and compared as hosts are: only the canonical spelling would guard any. */
function parseClusterDomain(text: string, canon: Canonicaliser): Result<string> {
  const host = canon.host(text, "");
  if (host === null || host.kind !== "name") return fail(`\`${text}\` is not a domain`);
  return host.host === text ? ok(text) : fail(`\`${text}\` is not in canonical form`, host.host);
}

function buildSeat(document: GatewayDocument, reporter: Reporter): EgressGateway["seat"] {
  const { seat, authorizer } = document.spec;
  if (seat === "gateway" && authorizer === undefined) {
    const message = "with `seat: gateway` the gateway gets its policies from an `authorizer`, and there is none";
    reporter.report(document, ["spec", "seat"], "seat-needs-authorizer", message);
  }
  return seat;
}

/** A file that the gateway is given beside its certificates. */
const FILTER_FILE = "/etc/sallyport/filter/sallyport-filter.wasm";

function buildFilter(document: GatewayDocument, reporter: Reporter): FilterSource {
  const { file, url, sha256, inline } = document.spec.filter;
  const wrong = (message: string, fix?: string): void =>
    reporter.report(document, ["spec", "filter"], "invalid-filter-source", message, fix);
  if ([file, url, inline].filter((each) => each !== undefined).length > 1) {
    wrong("the filter comes from one place: name one of `file`, `url` and `inline`");
  }
  if ((url === undefined) !== (sha256 === undefined)) {
    wrong("`url` and `sha256` go together: code that is fetched is taken only when it is what the digest says");
  }
  if (url !== undefined && !/^https?:\/\/[a-z0-9.-]+(:\d+)?\/\S*$/.test(url)) {
    wrong(`\`${url}\` is not an address as \`https://HOST/PATH\` or \`http://HOST:PORT/PATH\``);
  }
  if (file !== undefined && !file.startsWith("/")) wrong(`\`${file}\` is not a whole path`, `/${file}`);
  if (url !== undefined) return { kind: "url", url, sha256: sha256 ?? "" };
  return inline === true ? { kind: "inline" } : { kind: "file", path: file ?? FILTER_FILE };
}

function buildPublicKeys(document: GatewayDocument, reporter: Reporter): readonly string[] {
  return document.spec.filter.publicKeys.map((pem, i) => {
    const key = parsePublicKey(pem);
    return reporter.take(document, ["spec", "filter", "publicKeys", i], "invalid-public-key", key) ?? "";
  });
}

/** A private key would be written down in configurations that many may read. */
function parsePublicKey(pem: string): Result<string> {
  if (/PRIVATE KEY/.test(pem)) return fail("this is a private key: name its public half, and make another");
  try {
    const key = createPublicKey(pem);
    if (key.asymmetricKeyDetails?.namedCurve !== "prime256v1") return fail("this is no public key on P-256");
    return ok(key.export({ type: "spki", format: "der" }).toString("hex"));
  } catch {
    return fail("this is no PEM of a public key");
  }
}

function buildAuthorizer(document: GatewayDocument, reporter: Reporter): Authorizer | null {
  const { authorizer } = document.spec;
  if (authorizer === undefined) return null;
  const path = ["spec", "authorizer", "timeout"];
  const timeoutMs = reporter.take(document, path, "invalid-duration", parseDurationMs(authorizer.timeout)) ?? 250;
  if (timeoutMs === 0) {
    reporter.report(document, path, "invalid-duration", "a `timeout` of nothing would mean to wait for ever", "250ms");
  }
  if (authorizer.failOpen) {
    const message = "`failOpen: true` lets all traffic pass while no authorizer answers";
    reporter.report(document, ["spec", "authorizer", "failOpen"], "fail-open", message);
  }
  return { service: authorizer.service, port: authorizer.port, timeoutMs, failOpen: authorizer.failOpen };
}
