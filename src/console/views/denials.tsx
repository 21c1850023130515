import type { JSX } from "preact";
import { deniedDestinations, MINUTES } from "../denials.ts";
import { Table } from "../parts/table.tsx";
import { Time } from "../parts/time.tsx";
import { decisions } from "../server.ts";

/** What was denied, by destination and minute. */
export function DenialsView(): JSX.Element {
  const denied = deniedDestinations(decisions.value, Date.now());
  return (
    <>
      <p>
        Of the decisions seen since this page was opened. The trail knows all: <code>sallyport audit query</code>.
      </p>
      {denied.length === 0 ? (
        <p>Nothing was denied.</p>
      ) : (
        <Table
          caption="Denied destinations, the most denied first"
          columns={["Destination", "Denied", `The last ${MINUTES} minutes`, "Reasons", "Workloads", "Last"]}
          kind="denials"
        >
          {denied.map(({ place, count, minutes, reasons, workloads, last }) => (
            <tr key={place}>
              <th scope="row">{place}</th>
              <td class="figure">{count}</td>
              <td>
                <Minutes of={minutes} />
              </td>
              <td>{reasons.join(", ")}</td>
              <td>{workloads.join(", ")}</td>
              <td>
                <Time of={last} />
              </td>
            </tr>
          ))}
        </Table>
      )}
    </>
  );
}

/** Bars for the eye, the same in words. */
function Minutes({ of }: { readonly of: readonly number[] }): JSX.Element {
  const most = Math.max(1, ...of);
  const told = of.flatMap((count, at) => (count === 0 ? [] : [`${count} ${MINUTES - 1 - at} minutes ago`]));
  return (
    <svg class="minutes" viewBox={`0 0 ${MINUTES * 4} 24`} role="img" aria-label={told.join(", ") || "none"}>
      <line x1="0" y1="23.5" x2={MINUTES * 4} y2="23.5" />
      {of.map((count, at) => {
        const height = (count / most) * 22;
        return count === 0 ? null : <rect key={at} x={at * 4} y={23 - height} width="3" height={height} />;
      })}
    </svg>
  );
}
