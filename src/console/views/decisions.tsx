import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { requestText } from "../../analyze/replay/recorded-decision.ts";
import { shortId } from "../matrix.ts";
import { Effect } from "../parts/effect.tsx";
import { Table } from "../parts/table.tsx";
import { Time } from "../parts/time.tsx";
import { linkTo } from "../route.ts";
import { type DecisionRecord, decisions, policies } from "../server.ts";

const effect = signal("");
const reason = signal("");
const text = signal("");
/** More rows than anybody reads; the filters reach the others. */
const SHOWN = 200;

/** What was decided lately, newest first, by filters. */
export function DecisionsView(): JSX.Element {
  const all = decisions.value;
  const own = policies.value?.set.gateway.trustDomains[0] ?? "";
  const found = all.filter((record) => fits(record));
  const rows = found.slice(0, SHOWN);
  const reasons = [...new Set(all.map((each) => each.reason))].sort();
  return (
    <>
      <form class="filters" aria-label="Filters" onSubmit={(event) => event.preventDefault()}>
        <label>
          Effect
          <select value={effect.value} onChange={(event) => (effect.value = event.currentTarget.value)}>
            <option value="">any</option>
            <option value="allow">allow</option>
            <option value="deny">deny</option>
            <option value="differs">shadow differs</option>
          </select>
        </label>
        <label>
          Reason
          <select value={reason.value} onChange={(event) => (reason.value = event.currentTarget.value)}>
            <option value="">any</option>
            {reasons.map((each) => (
              <option key={each} value={each}>
                {each}
              </option>
            ))}
          </select>
        </label>
        <label>
          Text in workload, request, rule or gateway
          <input type="search" value={text.value} onInput={(event) => (text.value = event.currentTarget.value)} />
        </label>
      </form>
      <p aria-live="polite" class="count">
        {found.length} of {all.length} decisions seen since this page was opened
        {found.length > SHOWN ? `, the newest ${SHOWN} shown` : ""}
      </p>
      <Table
        caption="Decisions, newest first (times in UTC)"
        columns={["Time", "Effect", "Workload", "Request", "Reason", "Rules", "Shadow", "Seat"]}
      >
        {rows.map((record) => (
          <tr key={record.id} data-id={record.id}>
            <td>
              <a href={linkTo("decision", record.id)} title="explain this decision">
                <Time of={record.time} />
              </a>
            </td>
            <td>
              <Effect of={record.effect} />
            </td>
            <td>{shortId(record.subject.spiffeId, own) || "nobody"}</td>
            <td class="request">{requestText(record)}</td>
            <td>{record.reason}</td>
            <td>{record.rules.join(", ")}</td>
            <td>{record.shadow === record.effect ? "same" : <Effect of={record.shadow} />}</td>
            <td>{record.seat}</td>
          </tr>
        ))}
      </Table>
    </>
  );
}

function fits(record: DecisionRecord): boolean {
  if (effect.value === "differs" ? record.shadow === record.effect : !["", record.effect].includes(effect.value))
    return false;
  if (reason.value !== "" && record.reason !== reason.value) return false;
  const wanted = text.value.trim().toLowerCase();
  if (wanted === "") return true;
  const { subject, rules, gateway, owner, id } = record;
  const texts = [subject.spiffeId, requestText(record), ...rules, gateway ?? "", owner ?? "", id];
  return texts.some((each) => each.toLowerCase().includes(wanted));
}
