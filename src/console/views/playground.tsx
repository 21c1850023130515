import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { checkJson } from "../../analyze/answer.ts";
import { nextStep } from "../../analyze/next-step.ts";
import type { Result } from "../../policy/result.ts";
import { type Answered, ask, type Written } from "../ask.ts";
import { Effect } from "../parts/effect.tsx";
import { Walk } from "../parts/walk.tsx";
import { route } from "../route.ts";
import { policies } from "../server.ts";

const written = signal<Written>({ from: "", to: "", headers: "", upgrade: "", now: "" });
const outcome = signal<Result<Answered> | null>(null);

/** Asks the engine in the browser; nothing is sent anywhere. */
export function PlaygroundView(): JSX.Element {
  const loaded = policies.value;
  const { form } = route.value;
  useEffect(() => {
    if (loaded === null) return;
    if (form.size === 0) {
      // An answer of policies that are no longer in force would be none.
      if (outcome.value !== null) outcome.value = ask(loaded, written.value);
      return;
    }
    const given = (name: string): string => form.get(name) ?? "";
    written.value = {
      from: given("from"),
      to: given("to"),
      headers: given("headers"),
      upgrade: given("upgrade"),
      now: given("now"),
    };
    outcome.value = ask(loaded, written.value);
  }, [form, loaded]);
  if (loaded === null) return <p>No policies are loaded, so there is nothing to ask.</p>;
  return (
    <>
      <p>
        The policies in force and the server's own engine, here in the browser: the answer is that of{" "}
        <code>sallyport check</code>, the walk that of <code>sallyport explain</code>. Nothing is sent and nothing
        recorded.
      </p>
      <div class="playground">
        <form
          class="question"
          aria-label="Question"
          onSubmit={(event) => {
            event.preventDefault();
            outcome.value = ask(loaded, written.value);
          }}
        >
          <Field name="from" label="From: namespace/serviceaccount, or a SPIFFE ID" required />
          <Field name="to" label="Request: METHOD http://host/path, TLS host or TCP host:port" required />
          <label>
            Headers: name=value, one a line
            <textarea
              name="headers"
              rows={2}
              value={written.value.headers}
              onInput={(event) => set("headers", event.currentTarget.value)}
            />
          </label>
          <Field name="upgrade" label="Upgrade, e.g. websocket" />
          <Field name="now" label="Now (RFC 3339); empty for the present" />
          <button type="submit">Decide</button>
        </form>
        <div>
          <div role="status">{outcome.value !== null && <Outcome of={outcome.value} />}</div>
          {outcome.value?.ok === true && <Details answered={outcome.value.value} />}
        </div>
      </div>
    </>
  );
}

function set(name: keyof Written, text: string): void {
  written.value = { ...written.value, [name]: text };
}

interface FieldOf {
  readonly name: keyof Written;
  readonly label: string;
  readonly required?: boolean;
}

function Field({ name, label, required = false }: FieldOf): JSX.Element {
  return (
    <label>
      {label}
      <input
        name={name}
        type="text"
        autoComplete="off"
        spellcheck={false}
        required={required}
        value={written.value[name]}
        onInput={(event) => set(name, event.currentTarget.value)}
      />
    </label>
  );
}

function Outcome({ of }: { readonly of: Result<Answered> }): JSX.Element {
  if (!of.ok) {
    return (
      <p class="problem">
        {of.message}
        {of.fix === null ? "" : `; write ${of.fix}`}
      </p>
    );
  }
  const { answer } = of.value;
  return (
    <p class="verdict">
      <Effect of={answer.effect} /> {answer.reason}
    </p>
  );
}

function Details({ answered }: { readonly answered: Answered }): JSX.Element {
  const { answer, explanation } = answered;
  const facts: readonly (readonly [string, string | null])[] = [
    ["Who", answer.subject ?? answer.from],
    ["Target", answer.target],
    ["Service", answer.service],
    ["Rules", answer.rules.map(({ id }) => id).join(", ") || null],
    [
      "Shadow",
      answer.shadow === answer.effect ? null : `${answer.shadow} ${answer.shadowRules?.join(", ") ?? ""}`.trim(),
    ],
    ["Until", answer.validUntil === null ? null : new Date(answer.validUntil).toISOString()],
    ["Mesh", answer.enforced === null || answer.enforced.by === "workload" ? null : answer.enforced.explanation],
    ["Note", answer.note],
    ["Next", nextStep(answer.reason, answer.namespace)],
  ];
  return (
    <>
      <dl class="facts">
        {facts.map(
          ([name, value]) =>
            value !== null && (
              <>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </>
            ),
        )}
      </dl>
      <Walk explanation={explanation} />
      <details>
        <summary>As sallyport check --output json tells it</summary>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
        <pre id="answer" tabIndex={0}>
          {JSON.stringify(checkJson(answer), null, 2)}
        </pre>
      </details>
    </>
  );
}
