import type { JSX } from "preact";
import { Table } from "../parts/table.tsx";
import { Time } from "../parts/time.tsx";
import { decisions, readiness, type Seats, seats } from "../server.ts";

/** Who decides by what: the server, the gateways that decide themselves, and what is wrong. */
export function SeatsView(): JSX.Element {
  const state = readiness.value;
  const seated = seats.value;
  if (state === null || seated === null) return <p>The server has not answered yet.</p>;
  const { server, gateways } = seated;
  return (
    <>
      <h2>This server</h2>
      <dl class="facts">
        <dt>Name</dt>
        <dd>{server.name}</dd>
        <dt>State</dt>
        <dd>{state.draining ? "draining" : state.ready ? "ready" : "not ready"}</dd>
        <dt>Revision</dt>
        <dd>
          <code>{server.revision ?? "none"}</code>
          {server.since !== null && (
            <>
              {" "}
              since <Time of={server.since} /> UTC
            </>
          )}
        </dd>
        <dt>Audit trail</dt>
        <dd>
          {state.audit.failure === null ? "written" : `failing: ${state.audit.failure}`}, {state.audit.written} lines
          {state.audit.failed > 0 ? `, ${state.audit.failed} lost` : ""}
        </dd>
      </dl>
      {state.problem !== null && (
        <>
          <h2>Not in force</h2>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
          <pre tabIndex={0}>{state.problem}</pre>
        </>
      )}
      <h2>Stale namespaces</h2>
      {state.staleNamespaces.length === 0 ? (
        <p>None: every namespace's own documents are in force.</p>
      ) : (
        <>
          <p>Their documents have errors: the last good ones stay, or everything of theirs is denied.</p>
          <ul>
            {state.staleNamespaces.map((namespace) => (
              <li key={namespace}>{namespace}</li>
            ))}
          </ul>
        </>
      )}
      <h2>Gateways that decide themselves</h2>
      {gateways.length === 0 ? <p>None has asked this server lately.</p> : <Gateways seated={seated} />}
    </>
  );
}

function Gateways({ seated }: { readonly seated: Seats }): JSX.Element {
  const { server, gateways } = seated;
  const names = new Map(
    decisions.value.flatMap(({ worker, gateway }) => (worker === undefined ? [] : [[worker, gateway]])),
  );
  return (
    <Table caption="Workers of gateways, by their leases" columns={["Worker", "Gateway", "Runs", "Lease"]}>
      {gateways.map(({ worker, runs, revision, leaseMs, ageMs }) => (
        <tr key={worker}>
          <th scope="row">
            <code>{worker.slice(0, 12)}</code>
          </th>
          <td>{names.get(worker) ?? "not known until it decides"}</td>
          <td>
            {runs === null ? "no policies yet" : <code>{runs.slice(7, 19)}</code>}
            {runs !== server.revision ? ` (is being given ${revision.slice(7, 19)})` : ""}
          </td>
          <td>
            {(ageMs / 1000).toFixed(1)} s old, {ageMs < leaseMs ? "in force" : "over"}
          </td>
        </tr>
      ))}
    </Table>
  );
}
