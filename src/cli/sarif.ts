import type { Diagnostic } from "../policy/diagnostic.ts";

/** A SARIF 2.1.0 log of diagnostics, as code scanning in CI reads it. */
export function sarifLog(diagnostics: readonly Diagnostic[]): Record<string, unknown> {
  const codes = [...new Set(diagnostics.map((each) => each.code))].sort();
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "sallyport", rules: codes.map((id) => ({ id })) } },
        results: diagnostics.map(sarifResult),
      },
    ],
  };
}

function sarifResult(diagnostic: Diagnostic): Record<string, unknown> {
  const { file, line, column } = diagnostic.at;
  const text = diagnostic.fix === null ? diagnostic.message : `${diagnostic.message} (${diagnostic.fix})`;
  const physicalLocation = {
    artifactLocation: { uri: encodeURI(file) },
    region: { startLine: line, startColumn: column },
  };
  return {
    ruleId: diagnostic.code,
    level: diagnostic.severity,
    message: { text },
    locations: [{ physicalLocation }],
  };
}
