import type { JSX } from "preact";
import type { ExplainedRule, Explanation } from "../../analyze/explain/explain.ts";
import { Table } from "./table.tsx";

/** The walk of a decision: its steps, the rules that decide, and the near misses. */
export function Walk({ explanation }: { readonly explanation: Explanation }): JSX.Element {
  const { steps, rules, omitted } = explanation;
  const deciding = rules.filter(({ decides }) => decides);
  const others = rules.filter(({ decides }) => !decides);
  return (
    <>
      <Table caption="The walk, step by step" columns={["Step", "State", "What came of it"]} kind="walk">
        {steps.map(({ name, state, text }) => (
          <tr key={name} class={state === "decided" ? "decided" : undefined}>
            <th scope="row">{name}</th>
            <td>{state}</td>
            <td>{text}</td>
          </tr>
        ))}
      </Table>
      <Rules title="Decided by" rules={deciding} />
      <Rules title="Near misses" rules={others} />
      {omitted > 0 && <p>{omitted} more rules are further off.</p>}
    </>
  );
}

function Rules({
  title,
  rules,
}: {
  readonly title: string;
  readonly rules: readonly ExplainedRule[];
}): JSX.Element | null {
  if (rules.length === 0) return null;
  return (
    <>
      <h2>{title}</h2>
      <ul class="rules">
        {rules.map((each) => (
          <li key={each.id}>
            <span class={`effect ${each.rule.effect}`}>{each.rule.effect}</span> <code>{each.id}</code>
            <span class="about">
              {[`owner ${each.policy.owner}`, each.rule.ticket, each.rule.reason]
                .filter((text) => text !== null)
                .join(" · ")}
            </span>
            <ul>
              {each.conditions.map((condition, at) => (
                <li key={at}>
                  {condition.holds ? "holds" : "does not hold"}
                  {condition.verdict === "doubt" ? " (in doubt)" : ""}: {condition.text}
                </li>
              ))}
            </ul>
          </li>
        ))}
      </ul>
    </>
  );
}
