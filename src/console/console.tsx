import { useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { useErrorBoundary, useRef } from "preact/hooks";
import { linkTo, route } from "./route.ts";
import { failure, following, policies, readiness } from "./server.ts";
import { DecisionView } from "./views/decision.tsx";
import { DecisionsView } from "./views/decisions.tsx";
import { DenialsView } from "./views/denials.tsx";
import { ExceptionsView } from "./views/exceptions.tsx";
import { MatrixView } from "./views/matrix.tsx";
import { PlaygroundView } from "./views/playground.tsx";
import { SeatsView } from "./views/seats.tsx";

const VIEWS: Readonly<Record<string, { readonly title: string; readonly view: () => JSX.Element }>> = {
  decisions: { title: "Live decisions", view: DecisionsView },
  matrix: { title: "Who may reach what", view: MatrixView },
  denials: { title: "Denied destinations", view: DenialsView },
  exceptions: { title: "Exceptions", view: ExceptionsView },
  seats: { title: "Policies and seats", view: SeatsView },
  playground: { title: "Playground", view: PlaygroundView },
  decision: { title: "A decision explained", view: DecisionView },
};
const IN_NAVIGATION = ["decisions", "matrix", "denials", "exceptions", "seats", "playground"];

/** The whole page: navigation, the state of the server, and the view that the address names. */
export function Console(): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  const shown = useRef("");
  const { view: name } = route.value;
  const current = VIEWS[name];
  const title = current?.title ?? "There is no such page";
  useSignalEffect(() => {
    const { view, id } = route.value;
    document.title = `${VIEWS[view]?.title ?? "Not found"} · Sallyport`;
    const place = `${view}/${id}`;
    // Whoever went to another view reads on from its heading; who has just come starts at the top.
    if (shown.current !== "" && shown.current !== place) heading.current?.focus();
    shown.current = place;
  });
  const View = current?.view;
  return (
    <>
      <button type="button" class="skip" onClick={() => heading.current?.focus()}>
        Skip to the content
      </button>
      <header>
        <p class="name">Sallyport</p>
        <nav aria-label="Views">
          <ul>
            {IN_NAVIGATION.map((each) => (
              <li key={each}>
                <a href={linkTo(each)} aria-current={each === name ? "page" : undefined}>
                  {VIEWS[each]?.title}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <State />
      </header>
      <main id="main">
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {View === undefined ? (
          <p>The navigation above names them all.</p>
        ) : (
          <Guarded key={`${name}/${route.value.id}`} view={View} />
        )}
      </main>
    </>
  );
}

/** One view that fails takes no other with it. */
function Guarded({ view: View }: { readonly view: () => JSX.Element }): JSX.Element {
  const [error] = useErrorBoundary();
  if (error === undefined) return <View />;
  return <p class="problem">This view failed: {String(error)}</p>;
}

function State(): JSX.Element {
  const state = readiness.value;
  const text =
    failure.value !== null
      ? `no answer: ${failure.value}`
      : state === null
        ? "asking the server"
        : state.ready
          ? "ready"
          : "not ready";
  const revision = policies.value?.revision;
  return (
    <div class="state">
      <p role="status">
        <span class={failure.value === null && state?.ready === true ? "good" : "bad"}>{text}</span>
        {revision === undefined ? (
          " · no policies loaded"
        ) : (
          <>
            {" "}
            · revision <code>{revision.slice(7, 19)}</code>
          </>
        )}
      </p>
      <button type="button" aria-pressed={!following.value} onClick={() => (following.value = !following.value)}>
        Pause
      </button>
    </div>
  );
}
