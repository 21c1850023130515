import type { z } from "zod";
import type { DiagnosticCode } from "./diagnostic-codes.ts";
import { keysAt, valueAt } from "./schema-at.ts";
import { suggest } from "./suggest.ts";
import type { DocumentPath, SourceDocument, SourceProblem } from "./yaml-source.ts";

type Issue = z.core.$ZodIssue;

/** Turns what zod says of a document into problems at their places. */
export function shapeProblems(schema: z.ZodType, document: SourceDocument, issues: readonly Issue[]): SourceProblem[] {
  return issues.flatMap((issue) => problemsOf(schema, document, issue));
}

function problemsOf(schema: z.ZodType, document: SourceDocument, issue: Issue): SourceProblem[] {
  const path = issue.path as DocumentPath;
  const make = (
    code: DiagnosticCode,
    message: string,
    fix: string | null,
    at = document.position(path),
  ): SourceProblem => ({
    code,
    message,
    at,
    excerpt: document.excerpt(at),
    fix,
  });
  const name = path.length === 0 ? "the document" : `\`${formatPath(path)}\``;
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => {
        const meant = suggest(key, keysAt(schema, path));
        const at = document.keyPosition([...path, key]);
        const hint = meant === null ? "" : `: did you mean \`${meant}\`?`;
        return make("unknown-key", `\`${key}\` is not a key here${hint}`, meant, at);
      });
    case "invalid_type": {
      const missing = valueAt(document.value, path) === undefined;
      if (missing) return [make("missing-key", `${name} is missing`, null)];
      return [make("wrong-type", `${name} must be ${article(issue.expected)}`, null)];
    }
    case "invalid_value": {
      const given = valueAt(document.value, path);
      const choices = issue.values.map(String);
      if (given === undefined) return [make("missing-key", `${name} is missing`, `${path.at(-1)}: ${choices[0]}`)];
      const meant = typeof given === "string" ? suggest(given, choices) : null;
      const list = choices.map((choice) => `\`${choice}\``).join(", ");
      const only = choices.length === 1 ? (choices[0] ?? null) : null;
      return [make("unknown-value", `${name} must be ${choices.length > 1 ? "one of " : ""}${list}`, meant ?? only)];
    }
    case "too_small":
      if (issue.origin === "array")
        return [make("empty-list", `${name} is an empty list: leave it out, or fill it`, null)];
      if (issue.origin === "string") return [make("empty-text", `${name} is empty`, null)];
      return [make("out-of-range", `${name} must be at least ${issue.minimum}`, null)];
    case "too_big": {
      if (issue.origin === "array")
        return [make("limit-exceeded", `${name} has more than ${issue.maximum} items`, null)];
      if (issue.origin === "string") return [make("limit-exceeded", `${name} is longer than ${issue.maximum}`, null)];
      return [make("out-of-range", `${name} must be at most ${issue.maximum}`, null)];
    }
    case "invalid_format":
      return [make("invalid-text", `${name} holds a line break or a character that cannot be shown`, null)];
    case "invalid_union": {
      const branch = issue.errors.find((issues) => issues.every((each) => each.path.length > 0 || "keys" in each));
      if (branch !== undefined && typeof valueAt(document.value, path) === "object") {
        return branch.flatMap((each) => problemsOf(schema, document, { ...each, path: [...issue.path, ...each.path] }));
      }
      const given = valueAt(document.value, path);
      const meant = typeof given === "string" ? suggest(given, ["allow", "deny"]) : null;
      return [make("wrong-type", `${name} must be \`allow\`, \`deny\`, or a map with \`effect\``, meant)];
    }
    default:
      return [make("wrong-type", `${name}: ${issue.message}`, null)];
  }
}

function article(expected: string): string {
  const names: Readonly<Record<string, string>> = {
    object: "a map",
    record: "a map",
    array: "a list",
    string: "text (put it in quotes)",
    number: "a number",
    int: "a whole number",
    boolean: "`true` or `false`",
  };
  return names[expected] ?? expected;
}

/** `spec.rules[0].to` */
function formatPath(path: DocumentPath): string {
  return path.map((part, i) => (typeof part === "number" ? `[${part}]` : i === 0 ? part : `.${part}`)).join("");
}
