import type { AuditLine } from "./ocsf.ts";
import type { AuditRecord } from "./record.ts";
import { linesOfFile } from "./segment-range.ts";

/**
 * Reads files of a trail, oldest first, line by line, compressed or not. `take` is called with each whole line, null for one
 * that is neither a decision nor an event of this version; a torn last line is left out. `progress` is told of the bytes as
 * they are read. Seals are not looked at: `verifyTrail` does that. @throws when a file cannot be read
 */
export async function readLines(
  files: readonly string[],
  take: (line: AuditLine | null) => void,
  progress?: (bytes: number) => void,
): Promise<void> {
  for (const file of files) for await (const text of linesOfFile(file, progress)) take(parseLine(text));
}

function parseLine(text: string): AuditLine | null {
  try {
    const line: unknown = JSON.parse(text);
    return typeof line === "object" && line !== null && (isEvent(line) || isDecision(line)) ? line : null;
  } catch {
    return null;
  }
}

function isEvent(line: object): line is Exclude<AuditLine, AuditRecord> {
  return "event" in line && typeof line.event === "string";
}

/** What readers rely on. Whoever writes lines of another shape is no reason to fail. */
function isDecision(line: object): line is AuditRecord {
  const { time, revision, subject, target, reason, effect, shadow, rules, shadowRules, headers } =
    line as Partial<AuditRecord>;
  return (
    typeof time === "string" &&
    (revision === null || typeof revision === "string") &&
    typeof subject === "object" &&
    typeof subject?.spiffeId === "string" &&
    isTarget(target) &&
    typeof reason === "string" &&
    (effect === "allow" || effect === "deny") &&
    (shadow === "allow" || shadow === "deny") &&
    isTexts(rules) &&
    isTexts(shadowRules) &&
    (headers === undefined || (headers !== null && isTexts(Object.values(headers))))
  );
}

function isTarget(target: AuditRecord["target"] | undefined): boolean {
  if (typeof target !== "object" || target === null) return false;
  const { host, port, protocol, method, path } = target;
  return (
    typeof host === "string" &&
    (port === null || typeof port === "number" || typeof port === "string") &&
    (protocol === "http" || protocol === "tls" || protocol === "tcp") &&
    (method === null || typeof method === "string") &&
    (path === null || typeof path === "string")
  );
}

function isTexts(list: unknown): boolean {
  return Array.isArray(list) && list.every((each) => typeof each === "string");
}
