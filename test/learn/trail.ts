import { askedRequest } from "../../src/analyze/request.ts";
import { renderDecided, renderRecord } from "../../src/audit/record.ts";
import type { CheckInput } from "../../src/pdp/decision.ts";
import type { Engine } from "../../src/pdp/engine.ts";
import { requestPart } from "../audit/fixtures.ts";

/** A request as a DecisionTest writes it, and when it came. */
export interface Sent {
  readonly timeMs: number;
  readonly from: string;
  readonly to: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The trail that a server with this engine writes about requests, its ids counted. */
export function trailOf(engine: Engine, sent: readonly Sent[]): string {
  const lines = sent.map((each, index) => lineOfInput(engine, inputOf(each), each.timeMs, index + 1));
  return lines.map((line) => `${line}\n`).join("");
}

function inputOf({ from, to, headers = {} }: Sent): CheckInput {
  const asked = askedRequest({ from, to, headers, upgrade: null }, "cluster.local");
  if (!asked.ok) throw new Error(asked.message);
  return asked.value.input;
}

/** The line about a raw question. */
export function lineOfInput(engine: Engine, input: CheckInput, timeMs: number, seq: number): string {
  const { subject, target, ...decision } = engine.decide(input, timeMs);
  const decided = renderDecided({
    revision: engine.revision,
    seat: "server",
    subject: subject ?? { spiffeId: input.principal, namespace: null, serviceAccount: null },
    target: { host: target?.host ?? input.host, port: target?.port ?? input.port, protocol: input.kind },
    ...decision,
    owner: decision.note?.owner ?? null,
    ticket: decision.note?.ticket ?? null,
  });
  const id = `00000000-0000-7000-8000-${String(seq).padStart(12, "0")}`;
  const http = input.kind === "http";
  const part = { timeMs, id, method: http ? input.method : null, path: http ? input.path : null };
  return renderRecord(seq, decided, requestPart(part));
}
