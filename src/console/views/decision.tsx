import type { JSX } from "preact";
import { isAsRecorded, recordedInput, requestText } from "../../analyze/replay/recorded-decision.ts";
import { Effect } from "../parts/effect.tsx";
import { Time } from "../parts/time.tsx";
import { Walk } from "../parts/walk.tsx";
import { linkTo, route } from "../route.ts";
import { type DecisionRecord, decisions, policies } from "../server.ts";

/** One decision of the trail, walked again by the policies in force as of its own instant. */
export function DecisionView(): JSX.Element {
  const { id } = route.value;
  const record = decisions.value.find((each) => each.id === id);
  if (record === undefined) {
    return (
      <p>
        Decision <code>{id}</code> is not among those that this page has seen. <code>sallyport audit query</code> finds
        it in the trail.
      </p>
    );
  }
  return (
    <>
      <dl class="facts">
        <dt>Answer</dt>
        <dd>
          <Effect of={record.effect} /> {record.reason}
        </dd>
        <dt>Who</dt>
        <dd>{record.subject.spiffeId}</dd>
        <dt>What</dt>
        <dd>{requestText(record)}</dd>
        <dt>When</dt>
        <dd>
          <Time of={record.time} /> UTC, by the seat {record.seat}
        </dd>
        <dt>Decision</dt>
        <dd>
          <code>{record.id}</code>
        </dd>
        <dt>Revision</dt>
        <dd>
          <code>{record.revision ?? "none"}</code>
        </dd>
      </dl>
      <p>
        <a
          href={linkTo("playground", "", { from: record.subject.spiffeId, to: requestText(record), now: record.time })}
        >
          Try it in the playground
        </a>
      </p>
      <Explained record={record} />
    </>
  );
}

function Explained({ record }: { readonly record: DecisionRecord }): JSX.Element {
  const loaded = policies.value;
  if (loaded === null) return <p>No policies are loaded, so there is nothing to walk.</p>;
  const question = { input: recordedInput(record), nowMs: Date.parse(record.time), upgrade: null };
  const explanation = loaded.explain(question, null);
  const same = isAsRecorded(explanation.decision, record);
  return (
    <>
      {record.revision !== loaded.revision && (
        <p role="note" class="note">
          Other policies are in force by now (<code>{loaded.revision.slice(7, 19)}</code>): the walk is theirs.
        </p>
      )}
      {!same && (
        <p role="note" class="note">
          Asked again, the answer is {explanation.decision.effect} ({explanation.decision.reason}): the policies are
          others, or it depended on headers, which are not on record.
        </p>
      )}
      <Walk explanation={explanation} />
    </>
  );
}
