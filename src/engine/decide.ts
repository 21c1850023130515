/** The decision, step by step in the order of docs/semantics.md §5. The only place where an effect is chosen. */
import { isText } from "./bytes";
import { dependedHeaders, isGrpc, next, readUpgrade, rewind, setHeaders, upgrading, value, valueLength } from "./headers";
import { agrees, canonicalise, explicitPort, host, hostLength, isGuarded, parsePort } from "./host";
import * as id from "./identity";
import * as L from "./layout";
import { setMethod } from "./matcher";
import { setPath } from "./path";
import * as rules from "./rules";
import { answer, at, clusterDomain, field, headersOut, question, rulesOut, shadowRulesOut, whensOut } from "./state";
import * as whens from "./when";
import { disownAll, disownGlobal, globalOwner, isInternal, owner, resolve } from "./target";

function put(offset: u32, bits: u32): void {
  store<u32>(answer + offset, bits);
}

/** Every answer starts as a refusal that depends on nothing. */
function refuse(reason: u32): void {
  put(L.A_EFFECT, L.EFFECT_DENY);
  put(L.A_SHADOW, L.EFFECT_DENY);
  put(L.A_REASON, reason);
  put(L.A_RULE_COUNT, 0);
  put(L.A_SHADOW_RULE_COUNT, 0);
}

function start(): void {
  refuse(L.REASON_NO_IDENTITY);
  put(L.A_CACHEABLE, 0);
  put(L.A_MASK, 0);
  put(L.A_PORT, 0);
  put(L.A_SERVICE, L.NONE);
  put(L.A_RULES, <u32>rulesOut);
  put(L.A_SHADOW_RULES, <u32>shadowRulesOut);
  put(L.A_HEADERS, <u32>headersOut);
  put(L.A_HEADER_COUNT, 0);
  put(L.A_HOST_LENGTH, 0);
  put(L.A_DOMAIN_LENGTH, 0);
  put(L.A_WHENS, <u32>whensOut);
  put(L.A_WHEN_COUNT, 0);
  store<f64>(answer + L.A_VALID_UNTIL, Infinity);
}

/** The workload's namespace number, or NONE. */
export let scope: u32 = L.NONE;

/** Reads the identity and its index entries. False = refused. */
function identify(principal: usize, length: usize): bool {
  scope = L.NONE;
  if (length == 0) return false;
  if (!id.parseId(principal, length)) {
    refuse(L.REASON_INVALID_IDENTITY);
    return false;
  }
  const entry = id.findDomain();
  const own = entry != 0 && (load<u8>(entry + L.IE_FLAGS) & L.IE_FLAG_OWN) != 0;
  const ownDomain = at(field(L.H_OWN_DOMAIN));
  put(L.A_DOMAIN, <u32>(own ? ownDomain + 2 : id.domain));
  put(L.A_DOMAIN_LENGTH, own ? <u32>load<u16>(ownDomain) : <u32>id.domainLength);
  put(L.A_ID_PATH, <u32>id.path);
  put(L.A_ID_PATH_LENGTH, <u32>id.pathLength);
  put(L.A_NAMESPACE_LENGTH, own ? <u32>id.namespaceLength : 0);
  if (entry == 0) {
    refuse(L.REASON_FOREIGN_TRUST_DOMAIN);
    return false;
  }
  id.resetEntries();
  const number = load<u32>(entry + L.IE_NUMBER);
  // Subjects hang on the first own domain's entry; an alias's carries the same list.
  id.addEntry(entry);
  id.addPathEntries(number);
  if (own && id.namespaceLength > 0) {
    const space = id.findNamespace();
    if (space != 0) {
      id.addEntry(space);
      scope = load<u32>(space + L.IE_NUMBER);
      if ((load<u8>(space + L.IE_FLAGS) & L.IE_FLAG_INVALID) != 0) {
        refuse(L.REASON_NAMESPACE_INVALID);
        put(L.A_CACHEABLE, 1);
        return false;
      }
    }
  }
  return true;
}

let port: u32 = 0;

/** Reads host and port. False = `invalid-target`. */
function aim(kind: u32, address: usize, length: usize, named: usize, namedLength: u32): bool {
  let namedPort: u32 = 0;
  if (namedLength != L.NONE) {
    namedPort = parsePort(named, namedLength);
    if (namedPort == 0) return false;
  }
  if (!canonicalise(address, length, kind == L.KIND_HTTP)) return false;
  if (kind != L.KIND_HTTP) {
    port = namedPort != 0 ? namedPort : kind == L.KIND_TLS ? 443 : 0;
    return port != 0;
  }
  const fallback = namedPort != 0 ? namedPort : 80;
  port = explicitPort != 0 ? explicitPort : fallback;
  if (namedPort != 0 && port != namedPort) return false;
  rewind();
  while (next("host")) if (!agrees(value, valueLength, port, fallback)) return false;
  return true;
}

/** Nobody owns a target whose port speaks another protocol than the Check. Returns whether a GRPC port was involved. */
function fitProtocols(kind: u32): bool {
  let grpc = false;
  const both = globalOwner == owner;
  if (owner != 0) {
    const protocol = <u32>load<u8>(owner + L.OWNER_PROTOCOL);
    if (kind == L.KIND_HTTP && protocol == L.PROTOCOL_GRPC) grpc = true;
    if (!fits(kind, protocol)) disownAll();
  }
  if (both) {
    if (owner == 0) disownGlobal();
  } else if (globalOwner != 0) {
    const protocol = <u32>load<u8>(globalOwner + L.OWNER_PROTOCOL);
    if (kind == L.KIND_HTTP && protocol == L.PROTOCOL_GRPC) grpc = true;
    if (!fits(kind, protocol)) disownGlobal();
  }
  return grpc;
}

function fits(kind: u32, protocol: u32): bool {
  if (kind == L.KIND_HTTP) return protocol == L.PROTOCOL_HTTP || (protocol == L.PROTOCOL_GRPC && isGrpc());
  return protocol == (kind == L.KIND_TLS ? L.PROTOCOL_TLS : L.PROTOCOL_TCP);
}

/** Rules and fallback, for real and for the shadow. */
function conclude(openModel: bool): void {
  const group = rules.groupFallback;
  const fallback = group != L.FALLBACK_UNSET ? group : field(L.H_FALLBACK);

  const enforced = rules.enforcedKinds;
  if ((enforced & rules.DENIES) != 0) {
    // deny beats allow
    put(L.A_REASON, L.REASON_DENIED_BY_RULE);
    put(L.A_RULE_COUNT, rules.collect(rules.DENIES, true, rulesOut));
  } else if ((enforced & rules.ALLOWS) != 0) {
    put(L.A_EFFECT, L.EFFECT_ALLOW);
    put(L.A_REASON, L.REASON_ALLOWED_BY_RULE);
    put(L.A_RULE_COUNT, rules.collect(rules.ALLOWS, true, rulesOut));
  } else if (upgrading && ((enforced & rules.WOULD_UPGRADE) != 0 || fallback != L.FALLBACK_DENY)) {
    put(L.A_REASON, L.REASON_UPGRADE_NOT_ALLOWED);
  } else if (fallback == L.FALLBACK_REPORT || fallback == L.FALLBACK_ALLOW) {
    put(L.A_EFFECT, L.EFFECT_ALLOW);
    put(L.A_REASON, fallback == L.FALLBACK_REPORT ? L.REASON_FALLBACK_REPORT : L.REASON_FALLBACK_ALLOW);
  } else if ((enforced & rules.EXPIRED) != 0) {
    put(L.A_REASON, L.REASON_RULE_EXPIRED);
    put(L.A_RULE_COUNT, rules.collect(rules.EXPIRED, true, rulesOut));
  } else {
    put(L.A_REASON, L.REASON_NO_MATCHING_RULE);
  }

  const all = rules.allKinds;
  const shadowFallback = openModel ? fallback : L.FALLBACK_DENY;
  if ((all & rules.DENIES) != 0) {
    put(L.A_SHADOW_RULE_COUNT, rules.collect(rules.DENIES, false, shadowRulesOut));
  } else if ((all & rules.ALLOWS) != 0) {
    put(L.A_SHADOW, L.EFFECT_ALLOW);
    put(L.A_SHADOW_RULE_COUNT, rules.collect(rules.ALLOWS, false, shadowRulesOut));
  } else if (upgrading && ((all & rules.WOULD_UPGRADE) != 0 || shadowFallback != L.FALLBACK_DENY)) {
    // Denied for the upgrade: names no rule.
  } else if (shadowFallback != L.FALLBACK_DENY) {
    put(L.A_SHADOW, L.EFFECT_ALLOW);
  } else {
    put(L.A_SHADOW_RULE_COUNT, rules.collect(rules.EXPIRED, false, shadowRulesOut));
  }
}

/** What rules are asked about, once a question has come so far. */
let kind: u32 = 0;
let contentType: u32 = 0;
let isOpen: bool = false;
/** Has it? */
let reached: bool = false;

/** Answers the question in the question buffer at `now` (ms since the epoch). The answer is at `answer`. */
export function decideQuestion(now: f64): void {
  whens.forget();
  decideFromStart(now);
}

/** Answers the same question once more, with what expressions came to since. Nothing of it is read again: a long path or many headers cost once. */
export function decideAnswered(now: f64): void {
  if (!reached) return;
  refuse(L.REASON_NO_MATCHING_RULE);
  judge(now);
}

/** Answers the question in the buffer with what expressions came to so far. */
export function decideFromStart(now: f64): void {
  reached = false;
  kind = load<u32>(question + L.Q_KIND);
  const principalLength = <usize>load<u32>(question + L.Q_PRINCIPAL);
  const hostBytes = <usize>load<u32>(question + L.Q_HOST);
  const namedLength = load<u32>(question + L.Q_PORT);
  const methodLength = <usize>load<u32>(question + L.Q_METHOD);
  const pathLength = <usize>load<u32>(question + L.Q_PATH);
  const principal = question + L.Q_TEXT;
  const authority = principal + principalLength;
  const named = authority + hostBytes;
  const method = named + (namedLength == L.NONE ? 0 : <usize>namedLength);
  const path = method + methodLength;
  setMethod(method, methodLength);
  setPath(path, pathLength);
  setHeaders(path + pathLength, kind == L.KIND_HTTP ? load<u32>(question + L.Q_HEADERS) : 0);
  readUpgrade();

  start();
  // The target is read even for refused identities: whoever reads the record wants to know where it was going.
  const aimed = aim(kind, authority, hostBytes, named, namedLength);
  if (aimed) {
    put(L.A_HOST, <u32>host);
    put(L.A_HOST_LENGTH, <u32>hostLength);
    put(L.A_PORT, port);
  }
  if (!identify(principal, principalLength)) return;
  if (!aimed) {
    refuse(L.REASON_INVALID_TARGET);
    return;
  }
  put(L.A_CACHEABLE, 1);
  if (kind == L.KIND_HTTP) {
    rewind();
    if (isText(method, methodLength, "CONNECT") || next(":protocol")) {
      refuse(L.REASON_UPGRADE_NOT_ALLOWED);
      return;
    }
  }
  if (isGuarded(clusterDomain + 2, load<u16>(clusterDomain)) && !isInternal()) {
    refuse(L.REASON_GUARDED_TARGET);
    return;
  }
  resolve(port, scope);
  contentType = fitProtocols(kind) ? L.MASK_CONTENT_TYPE : 0;
  put(L.A_MASK, contentType);
  if (owner != 0) put(L.A_SERVICE, load<u32>(owner + L.OWNER_SERVICE));
  isOpen = field(L.H_MODEL) == L.MODEL_ALLOW_ANY;
  if (owner == 0 && !isOpen) {
    refuse(L.REASON_UNREGISTERED_TARGET);
    return;
  }
  reached = true;
  judge(now);
}

/** What the rules say. */
function judge(now: f64): void {
  whens.begin();
  rules.walk(port, scope, now, kind != L.KIND_HTTP);
  put(L.A_MASK, contentType | rules.mask);
  put(L.A_HEADER_COUNT, dependedHeaders);
  put(L.A_WHEN_COUNT, whens.waiting);
  if (rules.clock) put(L.A_CACHEABLE, 0);
  store<f64>(answer + L.A_VALID_UNTIL, rules.validUntil);
  conclude(isOpen);
}
