import type { SinkOptions } from "../server/open-sinks.ts";
import type { AuditOptions } from "../server/options.ts";
import { type Config, parseDuration, parseSize } from "./config-settings.ts";

type AuditConfig = Config["audit"];

/** The server's audit options from a valid configuration. */
export function auditOptions(config: AuditConfig): AuditOptions {
  const { mode, require, headers, to } = config;
  const sinks = to.filter((each) => each !== "none").map((each) => sinkOptions(each, config));
  return { mode, require, headers, sinks };
}

function sinkOptions(to: string, config: AuditConfig): SinkOptions {
  const { stdout, otlp, kafka } = config;
  if (to === "stdout") return { kind: "stdout", shape: stdout.shape };
  if (to === "otlp") return { kind: "otlp", ...otlp };
  if (to === "kafka") {
    const { brokers, topic, shape, ca, certificate, key, mechanism, username, passwordFile } = kafka;
    return {
      kind: "kafka",
      brokers,
      topic,
      shape,
      tls: ca === "" ? null : { ca, certificate: certificate || null, key: key || null },
      sasl: username === "" ? null : { mechanism, username, passwordFile },
    };
  }
  const { maxSize, maxAge, maxFiles, keep, compress, key } = config;
  return {
    kind: "file",
    path: to,
    maxBytes: parseSize(maxSize) ?? 0,
    maxAgeMs: maxAge === "never" ? null : parseDuration(maxAge),
    maxFiles,
    keepMs: keep === "forever" ? null : parseDuration(keep),
    packing: compress === "none" ? null : compress,
    key: key || null,
  };
}
