import { isAbsolute } from "node:path";
import { pathToFileURL } from "node:url";
import type { SourcePosition } from "../policy/model.ts";
import { repositoryPlace } from "./repository-place.ts";

/** Something that a program found in a policy file. */
export interface SarifFinding {
  readonly code: string;
  readonly severity: "error" | "warning" | "note";
  readonly message: string;
  readonly at: SourcePosition;
  readonly fix: string | null;
  readonly related?: readonly { readonly message: string; readonly at: SourcePosition }[];
  /** Why a comment keeps it quiet; absent when none does. */
  readonly suppressed?: string;
}

/** What a code means. */
interface SarifRule {
  readonly title: string;
  readonly explanation: string;
}

/** A SARIF 2.1.0 log, as code scanning in CI reads it. @param policies the policy directory that places are relative to */
export function sarifLog(
  findings: readonly SarifFinding[],
  ruleOf: (code: string) => SarifRule | undefined,
  policies: string,
): Record<string, unknown> {
  const codes = [...new Set(findings.map((each) => each.code))].sort();
  const rules = codes.map((id) => {
    const rule = ruleOf(id);
    if (rule === undefined) return { id };
    return { id, shortDescription: { text: rule.title }, fullDescription: { text: rule.explanation } };
  });
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      { tool: { driver: { name: "sallyport", rules } }, results: findings.map((each) => sarifResult(each, policies)) },
    ],
  };
}

function sarifResult(
  { code, severity, message, at, fix, related, suppressed }: SarifFinding,
  policies: string,
): Record<string, unknown> {
  return {
    ruleId: code,
    level: severity,
    message: { text: fix === null ? message : `${message} (${fix})` },
    locations: [{ physicalLocation: physicalLocation(at, policies) }],
    ...(related === undefined || related.length === 0
      ? {}
      : {
          relatedLocations: related.map((each) => ({
            physicalLocation: physicalLocation(each.at, policies),
            message: { text: each.message },
          })),
        }),
    ...(suppressed === undefined ? {} : { suppressions: [{ kind: "inSource", justification: suppressed }] }),
  };
}

function physicalLocation({ file, line, column }: SourcePosition, policies: string): Record<string, unknown> {
  const place = repositoryPlace(file, policies);
  const uri = isAbsolute(place) ? pathToFileURL(place).href : encodeURI(place);
  return { artifactLocation: { uri }, region: { startLine: line, startColumn: column } };
}
