import { createHash } from "node:crypto";
import type { AuditRecord } from "./record.ts";

/** The published schema that these events follow. */
const OCSF_VERSION = "1.8.0";

/** What of OCSF is used here. */
type OcsfEvent = Readonly<Record<string, unknown>>;

/** A line of the trail, parsed: a decision, or an event with whatever belongs to it. */
export type AuditLine =
  | AuditRecord
  | ({ readonly event: string; readonly time?: string } & Readonly<Record<string, unknown>>);

const NETWORK = { category_uid: 4, category_name: "Network Activity" };
const HTTP_ACTIVITY = { ...NETWORK, class_uid: 4002, class_name: "HTTP Activity" };
const NETWORK_ACTIVITY = { ...NETWORK, class_uid: 4001, class_name: "Network Activity" };
const LIFECYCLE = {
  category_uid: 6,
  category_name: "Application Activity",
  class_uid: 6002,
  class_name: "Application Lifecycle",
};

/** `activity_id` of HTTP Activity by method. */
const METHODS: Readonly<Record<string, number>> = {
  CONNECT: 1,
  DELETE: 2,
  GET: 3,
  HEAD: 4,
  OPTIONS: 5,
  POST: 6,
  PUT: 7,
  TRACE: 8,
  PATCH: 9,
};
const OTHER = 99;

/**
 * A line of the trail in the shape of OCSF: HTTP decisions as HTTP Activity, TLS and TCP decisions as Network Activity, both with
 * the security-control profile and the authorization; events of the policies and the server as Application Lifecycle. What OCSF
 * has no place for is under `unmapped`. `nowMs` is the time of lines that have none.
 * @see https://schema.ocsf.io/1.8.0
 */
export function toOcsf(line: AuditLine, version: string, nowMs: number): OcsfEvent {
  const product = { name: "Sallyport", vendor_name: "Sallyport", version };
  return "event" in line ? lifecycle(line, product, nowMs) : decision(line, product);
}

function decision(record: AuditRecord, product: object): OcsfEvent {
  const { target, subject, effect } = record;
  const isHttp = target.protocol === "http";
  const allowed = effect === "allow";
  const method = target.method ?? "";
  const activity = isHttp ? (METHODS[method.toUpperCase()] ?? OTHER) : allowed ? 1 : 5;
  const type = isHttp ? HTTP_ACTIVITY : NETWORK_ACTIVITY;
  return {
    ...type,
    activity_id: activity,
    activity_name: isHttp ? (activity === OTHER ? method || "Other" : titled(method)) : allowed ? "Open" : "Refuse",
    type_uid: type.class_uid * 100 + activity,
    time: Date.parse(record.time),
    severity_id: 1,
    severity: "Informational",
    ...(allowed
      ? { action_id: 1, action: "Allowed", disposition_id: 1, disposition: "Allowed", status_id: 1, status: "Success" }
      : { action_id: 2, action: "Denied", disposition_id: 2, disposition: "Blocked", status_id: 2, status: "Failure" }),
    status_detail: record.reason,
    metadata: {
      version: OCSF_VERSION,
      product,
      profiles: ["host", "security_control"],
      uid: record.id,
      sequence: record.seq,
      log_name: "sallyport.audit/v1",
      ...(record.requestId === null ? {} : { correlation_uid: record.requestId }),
    },
    actor: { user: { uid: subject.spiffeId, name: subject.serviceAccount ?? subject.spiffeId, ...domainOf(subject) } },
    authorizations: [
      {
        decision: effect,
        policy: {
          name: record.rules[0] ?? record.reason,
          is_applied: record.rules.length > 0,
          ...(record.revision === null ? {} : { version: record.revision }),
        },
      },
    ],
    dst_endpoint: { hostname: target.host, ...(typeof target.port === "number" ? { port: target.port } : {}) },
    ...(isHttp ? { http_request: httpRequest(record) } : { app_protocol_name: target.protocol }),
    ...(record.outcome?.status == null ? {} : { http_response: { code: record.outcome.status } }),
    ...(record.gateway === null ? {} : { proxy: { name: record.gateway } }),
    duration: Math.round(record.latencyUs / 1000),
    unmapped: {
      seat: record.seat,
      shadow: record.shadow,
      rules: record.rules,
      shadowRules: record.shadowRules,
      owner: record.owner,
      ticket: record.ticket,
      cacheHit: record.cacheHit,
      traceId: record.traceId,
      latencyUs: record.latencyUs,
      ...(record.worker === undefined
        ? {}
        : { worker: record.worker, workerSeq: record.workerSeq, outcome: record.outcome ?? null }),
    },
  };
}

function domainOf({ namespace }: AuditRecord["subject"]): object {
  return namespace === null ? {} : { domain: namespace };
}

function httpRequest({ target, headers }: AuditRecord): object {
  const { host, port, method, path } = target;
  const name = (method ?? "").toUpperCase();
  return {
    // OCSF has no other methods; which it was stands in activity_name.
    ...(name in METHODS ? { http_method: name } : {}),
    url: { hostname: host, path: path ?? "", ...(typeof port === "number" ? { port } : {}) },
    ...(headers === undefined
      ? {}
      : { http_headers: Object.entries(headers).map(([name, value]) => ({ name, value })) }),
  };
}

const LIFECYCLE_ACTIVITY: Readonly<Record<string, readonly [number, string]>> = {
  started: [3, "Start"],
  stopped: [4, "Stop"],
  "policies-loaded": [8, "Update"],
};

function lifecycle(line: Exclude<AuditLine, AuditRecord>, product: object, nowMs: number): OcsfEvent {
  const { event, time, ...detail } = line;
  const [activity, name] = LIFECYCLE_ACTIVITY[event] ?? [OTHER, event];
  const failed = ["sink-failed", "policies-rejected", "gap", "repaired", "worker-gap"].includes(event);
  return {
    ...LIFECYCLE,
    activity_id: activity,
    activity_name: name,
    type_uid: LIFECYCLE.class_uid * 100 + activity,
    time: time === undefined ? nowMs : Date.parse(time),
    severity_id: failed ? 4 : 1,
    severity: failed ? "High" : "Informational",
    app: product,
    message: event,
    metadata: {
      version: OCSF_VERSION,
      product,
      uid: createHash("sha256").update(JSON.stringify(line)).digest("hex"),
      log_name: "sallyport.audit/v1",
    },
    unmapped: detail,
  };
}

function titled(method: string): string {
  return method.slice(0, 1).toUpperCase() + method.slice(1).toLowerCase();
}
