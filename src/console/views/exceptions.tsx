import type { JSX } from "preact";
import { spanText } from "../../analyze/span.ts";
import { exceptionsOf } from "../../policy/exceptions.ts";
import { Effect } from "../parts/effect.tsx";
import { Table } from "../parts/table.tsx";
import { Time } from "../parts/time.tsx";
import { policies } from "../server.ts";

/** The rules that end by themselves, by their end. */
export function ExceptionsView(): JSX.Element {
  const loaded = policies.value;
  if (loaded === null) return <p>No policies are loaded.</p>;
  const nowMs = Date.now();
  const exceptions = exceptionsOf(loaded.set);
  if (exceptions.length === 0) return <p>No rule in force has an end.</p>;
  return (
    <Table
      caption="Rules with an end, the next to end first"
      columns={["Ends", "In", "Effect", "Rule", "Mode", "Owner", "Ticket", "Reason"]}
    >
      {exceptions.map(({ rule, effect, mode, expires, owner, ticket, reason }) => (
        <tr key={rule}>
          <td>
            <Time of={expires} />
          </td>
          <td>{expires <= nowMs ? `ended ${spanText(nowMs - expires)} ago` : spanText(expires - nowMs)}</td>
          <td>
            <Effect of={effect} />
          </td>
          <th scope="row">{rule}</th>
          <td>{mode}</td>
          <td>{owner}</td>
          <td>{ticket}</td>
          <td>{reason}</td>
        </tr>
      ))}
    </Table>
  );
}
