import { signal } from "@preact/signals";
import type { JSX } from "preact";
import {
  type Destination,
  destinationsOf,
  type Reach,
  reach,
  type Workload,
  workloadsOf,
  writtenFor,
} from "../matrix.ts";
import { Wide } from "../parts/wide.tsx";
import type { Policies } from "../policies.ts";
import { linkTo } from "../route.ts";
import { decisions, policies } from "../server.ts";

const who = signal("");
const what = signal("");
/** A table beyond it is no help; the filters reach the others. */
const ROWS = 100;
const COLUMNS = 40;

/** Which workload may reach which registered host, by the engine. */
export function MatrixView(): JSX.Element {
  const loaded = policies.value;
  if (loaded === null) return <p>No policies are loaded.</p>;
  const seen = decisions.value.flatMap(({ subject }) => (subject.namespace === null ? [] : [subject.spiffeId]));
  const workloads = workloadsOf(loaded.set, [...new Set(seen)]).filter(({ label, spiffeId }) =>
    `${label} ${spiffeId}`.includes(who.value.trim()),
  );
  const destinations = destinationsOf(loaded.set).filter(({ host, port, protocol }) =>
    `${host}:${port} ${protocol}`.toLowerCase().includes(what.value.trim().toLowerCase()),
  );
  return (
    <>
      <p>
        Each cell is the engine's answer of this moment. <b>depends</b>: method, path or headers could change it; its
        link asks in the playground.
      </p>
      <form class="filters" aria-label="Filters" onSubmit={(event) => event.preventDefault()}>
        <label>
          Workload
          <input type="search" value={who.value} onInput={(event) => (who.value = event.currentTarget.value)} />
        </label>
        <label>
          Host, port or protocol
          <input type="search" value={what.value} onInput={(event) => (what.value = event.currentTarget.value)} />
        </label>
      </form>
      <p aria-live="polite" class="count">
        {workloads.length} workloads, {destinations.length} destinations
        {workloads.length > ROWS || destinations.length > COLUMNS ? `; the first ${ROWS} × ${COLUMNS} shown` : ""}
      </p>
      <Table loaded={loaded} rows={workloads.slice(0, ROWS)} columns={destinations.slice(0, COLUMNS)} />
    </>
  );
}

interface TableOf {
  readonly loaded: Policies;
  readonly rows: readonly Workload[];
  readonly columns: readonly Destination[];
}

function Table({ loaded, rows, columns }: TableOf): JSX.Element {
  const nowMs = Date.now();
  return (
    <Wide label="Who may reach what">
      <table class="matrix">
        <caption>Workloads by registered hosts</caption>
        <thead>
          <tr>
            <th scope="col">Workload</th>
            {columns.map(({ host, port, protocol }) => (
              <th scope="col" key={`${host}:${port}/${protocol}`}>
                {host}
                <span class="about">
                  {port} {protocol}
                </span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.spiffeId}>
              <th scope="row">{row.label}</th>
              {columns.map((column) => (
                <Cell
                  key={`${column.host}:${column.port}/${column.protocol}`}
                  row={row}
                  column={column}
                  reached={reach(loaded.engine, row, column, nowMs)}
                />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Wide>
  );
}

function Cell({
  row,
  column,
  reached,
}: {
  readonly row: Workload;
  readonly column: Destination;
  readonly reached: Reach;
}): JSX.Element {
  const { outcome, on, decision } = reached;
  const why = outcome === "depends" ? `depends on ${on.join(", ")}` : [decision.reason, ...decision.rules].join(" ");
  return (
    <td class={outcome}>
      <a href={linkTo("playground", "", writtenFor(row, column))} title={why}>
        {outcome}
      </a>
    </td>
  );
}
