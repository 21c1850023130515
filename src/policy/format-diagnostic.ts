import { createColors } from "picocolors";
import type { Diagnostic } from "./diagnostic.ts";

/** A diagnostic for a terminal: `file:line:column: severity[code]: message`, the excerpt and the fix. */
export function formatDiagnostic(diagnostic: Diagnostic, color: boolean): string {
  const paint = createColors(color);
  const { at, severity } = diagnostic;
  const tint = severity === "error" ? paint.red : paint.yellow;
  const place = paint.bold(`${at.file}:${at.line}:${at.column}:`);
  const lines = [`${place} ${tint(`${severity}[${diagnostic.code}]`)}: ${diagnostic.message}`];
  if (diagnostic.excerpt !== null) {
    for (const line of diagnostic.excerpt.split("\n")) lines.push(`  ${paint.dim(line)}`);
  }
  if (diagnostic.fix !== null) lines.push(`  ${paint.green("write")} ${diagnostic.fix}`);
  return lines.join("\n");
}
