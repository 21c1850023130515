import { createFileSink, type FileSinkOptions } from "../../src/audit/file-sink.ts";
import { type DecidedText, type RequestPart, renderDecided } from "../../src/audit/record.ts";
import type { AuditSink, AuditSinkHooks } from "../../src/audit/sink.ts";
import { type AuditMode, type AuditTrail, type AuditTrailOptions, openTrail } from "../../src/audit/trail.ts";

export const HOOKS: AuditSinkHooks = {
  gap: (lost, failure) => `{"time":"","event":"gap","lost":${lost},"failure":"${failure}"}`,
  changed() {},
  warn(message) {
    throw new Error(message);
  },
};

/** A file of 1 MiB, kept plain and for good, unless told otherwise. */
export function fileOptions(path: string, changes: Partial<FileSinkOptions> = {}): FileSinkOptions {
  return {
    path,
    maxBytes: 1 << 20,
    maxAgeMs: null,
    maxFiles: 9,
    keepMs: null,
    packing: null,
    signer: null,
    now: Date.now,
    ...changes,
  };
}

export function openFile(path: string, changes: Partial<FileSinkOptions> = {}): Promise<AuditSink> {
  return createFileSink(fileOptions(path, changes), HOOKS);
}

/** A trail over sinks, by name. */
export function trailOver(
  mode: AuditMode,
  sinks: Readonly<Record<string, (hooks: AuditSinkHooks) => Promise<AuditSink>>>,
  changes: Partial<AuditTrailOptions> = {},
): Promise<AuditTrail> {
  return openTrail({
    mode,
    require: "all",
    sinks: Object.entries(sinks).map(([name, open]) => ({ name, open })),
    now: () => 0,
    changed() {},
    warn() {},
    ...changes,
  });
}

export const DECIDED: DecidedText = renderDecided({
  revision: "r",
  seat: "server",
  subject: { spiffeId: "s", namespace: null, serviceAccount: null },
  target: { host: "h", port: 80, protocol: "http" },
  effect: "allow",
  shadow: "allow",
  reason: "allowed-by-rule",
  rules: [],
  shadowRules: [],
  owner: null,
  ticket: null,
});

export function requestPart(changes: Partial<RequestPart> = {}): RequestPart {
  return {
    timeMs: 0,
    id: "x",
    cacheHit: false,
    requestId: null,
    traceId: null,
    gateway: null,
    latencyUs: 1,
    method: "GET",
    path: "/",
    headers: null,
    seated: null,
    ...changes,
  };
}

/** A sink that keeps its lines in memory. */
export function memorySink(): AuditSink & { readonly lines: string[] } {
  const lines: string[] = [];
  const state = {
    get taken() {
      return lines.length;
    },
    get written() {
      return lines.length;
    },
    failed: 0,
    tooSlow: 0,
    pending: 0,
    failure: null,
  };
  return { lines, write: (line) => lines.push(line), async flush() {}, async close() {}, state };
}
