import type { Attributes } from "@opentelemetry/api";
import type { AuditLine } from "./ocsf.ts";

/** What a line of the trail says, in names of the semantic conventions where there are some. A text that is null is no attribute. */
export function otlpAttributes(line: AuditLine): Attributes {
  if ("event" in line) return { "sallyport.event": line.event };
  const { id, seq, revision, subject, target, effect, shadow, reason, rules, traceId } = line;
  return {
    "sallyport.decision.id": id,
    "sallyport.seq": seq,
    "sallyport.revision": revision ?? "",
    "sallyport.subject": subject.spiffeId,
    "sallyport.effect": effect,
    "sallyport.shadow": shadow,
    "sallyport.reason": reason,
    "sallyport.rules": [...rules],
    "server.address": target.host,
    "network.protocol.name": target.protocol,
    ...(typeof target.port === "number" ? { "server.port": target.port } : {}),
    ...(target.method === null ? {} : { "http.request.method": target.method }),
    ...(target.path === null ? {} : { "url.path": target.path }),
    ...(traceId === null ? {} : { "sallyport.trace.id": traceId }),
  };
}

/** Seconds and nanoseconds since the epoch, of milliseconds. */
export function hrTimeOf(timeMs: number): [number, number] {
  const seconds = Math.floor(timeMs / 1000);
  return [seconds, Math.round((timeMs - seconds * 1000) * 1_000_000)];
}
