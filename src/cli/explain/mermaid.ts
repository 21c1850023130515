import type { CheckAnswer } from "../../analyze/answer.ts";
import type { ExplainedRule, Explanation } from "../../analyze/explain/explain.ts";
import type { Step } from "../../analyze/explain/steps.ts";
import type { SourcePosition } from "../../policy/model.ts";
import { count } from "../output.ts";

const CLASSES = [
  "  classDef allow fill:#e3f4e8,stroke:#1b6e3c",
  "  classDef deny fill:#fbe9e7,stroke:#b3261e",
  "  classDef miss fill:#fff,stroke:#999,stroke-dasharray:4",
];

/** A Mermaid flow chart: the steps in a row down to the answer, the rules beside the step that asks them. */
export function mermaidChart(answer: CheckAnswer, { steps, rules, omitted }: Explanation): string {
  const reached = steps.filter(({ state }) => state !== "not reached");
  const lines = ["flowchart TD", `  ask[${label(answer.from, answer.to)}]`];
  for (const step of reached) lines.push(`  ${step.name}[${label(step.name, step.text, ...place(step.at))}]`);
  const chain = ["ask", ...reached.map(({ name }) => name), "answer"];
  lines.push(`  answer([${label(`${answer.effect.toUpperCase()} ${answer.reason}`)}]):::${answer.effect}`);
  for (const [index, name] of chain.slice(1).entries()) lines.push(`  ${chain[index]} --> ${name}`);
  for (const [index, rule] of rules.entries()) lines.push(...ruleLines(rule, `rule${index + 1}`, reached));
  if (omitted > 0) lines.push(`  more[${label(count(omitted, "more rule"))}]:::miss`, `  ${chain.at(-2)} -.- more`);
  return `${[...lines, ...CLASSES].join("\n")}\n`;
}

function ruleLines(explained: ExplainedRule, node: string, reached: readonly Step[]): string[] {
  const { id, rule, decides, misses } = explained;
  const asks = rule.effect === "deny" ? "denies" : "allows";
  const at = reached.some(({ name }) => name === asks) ? asks : (reached.at(-1)?.name ?? "ask");
  const outcome =
    misses.length === 0 && !decides ? ["matches, but does not decide"] : misses.map((each) => `but for: ${each.text}`);
  const text = label(`${rule.effect} ${id}`, ...place(rule.at), ...outcome);
  return [`  ${node}[${text}]:::${decides ? rule.effect : "miss"}`, `  ${at} ${decides ? "===" : "-.-"} ${node}`];
}

function place(at: SourcePosition | null): string[] {
  return at === null ? [] : [`${at.file}:${at.line}`];
}

/** A quoted label of several lines. Whatever means something to Mermaid or HTML is written as a character reference. */
function label(...lines: readonly string[]): string {
  const escaped = lines.map((line) =>
    line.replace(/[^\p{L}\p{N} _./:,()*@=+-]/gu, (sign) => `#${sign.codePointAt(0)};`),
  );
  return `"${escaped.join("<br/>")}"`;
}
