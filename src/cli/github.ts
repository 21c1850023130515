import type { Diagnostic } from "../policy/diagnostic.ts";
import type { SourcePosition } from "../policy/model.ts";
import { printLine } from "./output.ts";
import { repositoryPlace } from "./repository-place.ts";

/** What GitHub shows beside a line of a pull request. */
export interface Annotation {
  readonly level: "error" | "warning" | "notice";
  readonly title: string;
  /** May have several lines. */
  readonly message: string;
  /** `file` is relative to the policy directory. */
  readonly at: Pick<SourcePosition, "file" | "line"> & { readonly column?: number };
}

/**
 * Prints workflow commands that become annotations. `policies` = the policy directory that places are relative to.
 * @see docs.github.com, "Workflow commands for GitHub Actions"
 */
export function printAnnotations(annotations: readonly Annotation[], policies: string): void {
  for (const each of annotations) printLine(annotationText(each, policies));
}

/** A diagnostic as an annotation. */
export function diagnosticAnnotation({ severity, code, message, at, fix }: Diagnostic): Annotation {
  return { level: severity, title: code, message: fix === null ? message : `${message}\nwrite ${fix}`, at };
}

function annotationText({ level, title, message, at }: Annotation, policies: string): string {
  const places: readonly (readonly [string, string | number | undefined])[] = [
    ["file", repositoryPlace(at.file, policies)],
    ["line", at.line],
    ["col", at.column],
    ["title", title],
  ];
  const properties = places
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${escapeProperty(String(value))}`);
  return `::${level} ${properties.join(",")}::${escapeData(message)}`;
}

/** No line break of a text may begin another command. */
function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
