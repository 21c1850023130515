import { renderDecided, renderRecord } from "../../src/audit/record.ts";
import type { CheckInput } from "../../src/pdp/decision.ts";
import type { Engine } from "../../src/pdp/engine.ts";
import { createRecordedHeaders } from "../../src/server/recorded-headers.ts";
import { requestPart } from "../audit/fixtures.ts";

let seq = 0;

/** The line that the server writes for a decision; `headers` = names of those whose values it records. */
export function recordedLine(
  engine: Pick<Engine, "decide" | "revision">,
  input: CheckInput,
  timeMs: number,
  headers: readonly string[] = [],
): string {
  const decision = engine.decide(input, timeMs);
  const { subject, target, effect, shadow, reason, rules, shadowRules, note } = decision;
  const http = input.kind === "http";
  seq += 1;
  const decided = renderDecided({
    ...{ revision: engine.revision, seat: "server", effect, shadow, reason, rules, shadowRules },
    subject: subject ?? { spiffeId: input.principal, namespace: null, serviceAccount: null },
    target: { ...(target ?? { host: input.host, port: input.port }), protocol: input.kind },
    owner: note?.owner ?? null,
    ticket: note?.ticket ?? null,
  });
  const request = requestPart({
    timeMs,
    id: `01900000-0000-7000-8000-${seq.toString(16).padStart(12, "0")}`,
    method: http ? input.method : null,
    path: http ? input.path : null,
    headers: createRecordedHeaders(headers, []).read(input.headers),
  });
  return renderRecord(seq, decided, request);
}
