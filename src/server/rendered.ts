import { randomUUID } from "node:crypto";
import { LRUCache } from "lru-cache";
import { type DecidedText, renderDecided } from "../audit/record.ts";
import type { CheckInput, CheckKind, Decision } from "../pdp/decision.ts";
import { type AnswerTemplate, createTemplate } from "./answer-template.ts";
import { type AnswerReason, buildCheckResponse, type OwnReason } from "./check-response.ts";
import type { CheckResponseMessage } from "./wire.ts";

/** A decision made ready to send, to record and to count: everything that does not differ from request to request. */
export interface Rendered {
  readonly template: AnswerTemplate;
  readonly audit: DecidedText;
  readonly effect: "allow" | "deny";
  /** Counts one more answer like this. */
  readonly count: () => void;
}

/** What rendering needs of its surroundings. */
export interface RenderOptions {
  encode(message: CheckResponseMessage): Buffer;
  /** The counter of answers of this sort; one function a sort, whatever the number of decisions. */
  counter(effect: string, reason: AnswerReason, shadow: string): () => void;
}

export interface Renderer {
  decision(decision: Decision, input: CheckInput, revision: string): Rendered;
  /** An answer of the server's own, when there is no decision. */
  own(reason: OwnReason, input: CheckInput, revision: string | null): Rendered;
}

/** Bound of the memory for rendered decisions. */
const KNOWN_BYTES = 8 * 1024 * 1024;

/**
 * Creates the renderer of decisions. Requests that differ only in what is not rendered, such as the path, share one
 * rendered decision, also when each of them is decided anew.
 */
export function createRenderer({ encode, counter }: RenderOptions): Renderer {
  // Nobody outside ever sees it, so nothing in a decision can be mistaken for it.
  const placeholder = randomUUID();

  function render(
    reason: AnswerReason,
    decision: Decision | null,
    input: CheckInput,
    revision: string | null,
  ): Rendered {
    const { kind } = input;
    const message = buildCheckResponse({ id: placeholder, kind, reason, decision, revision });
    const effect = decision?.effect ?? "deny";
    const shadow = decision?.shadow ?? "deny";
    return {
      template: createTemplate(encode(message), placeholder),
      effect,
      audit: renderDecided({
        revision,
        seat: "server",
        subject: decision?.subject ?? { spiffeId: input.principal, namespace: null, serviceAccount: null },
        target: { ...(decision?.target ?? { host: input.host, port: input.port }), protocol: kind },
        effect,
        shadow,
        reason,
        rules: decision?.rules ?? [],
        shadowRules: decision?.shadowRules ?? [],
        owner: decision?.note?.owner ?? null,
        ticket: decision?.note?.ticket ?? null,
      }),
      count: counter(effect, reason, shadow),
    };
  }

  const known = new LRUCache<string, Rendered>({ maxSize: KNOWN_BYTES });
  let knownRevision = "";

  function renderDecision(decision: Decision, input: CheckInput, revision: string): Rendered {
    const key = contentKey(decision, input.kind);
    if (key === null) return render(decision.reason, decision, input, revision);
    if (revision !== knownRevision) {
      known.clear();
      knownRevision = revision;
    }
    let rendered = known.get(key);
    if (rendered === undefined) {
      rendered = render(decision.reason, decision, input, revision);
      known.set(key, rendered, { size: sizeOfRendered(rendered) + key.length * 2 });
    }
    return rendered;
  }

  return {
    decision: renderDecision,
    own: (reason, input, revision) => render(reason, null, input, revision),
  };
}

/**
 * Everything of a decision that is rendered; the note follows from the rules and the revision. Null when the request's
 * own texts are rendered too, because there is no valid subject or target to show instead.
 */
function contentKey(decision: Decision, kind: CheckKind): string | null {
  const { effect, reason, shadow, rules, shadowRules, subject, target } = decision;
  if (subject === null || target === null) return null;
  const { host, port } = target;
  return `${kind} ${effect} ${shadow} ${reason} ${port} ${host} ${subject.spiffeId} ${rules.join()} ${shadowRules.join()}`;
}

/** Bytes a rendered decision holds in memory, counted generously. */
export function sizeOfRendered({ template, audit }: Rendered): number {
  return template.bytes.length + template.gaps.length * 8 + (audit.head.length + audit.tail.length) * 2 + 300;
}
