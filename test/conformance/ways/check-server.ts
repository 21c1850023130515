import { checkMessage } from "../../../src/cli/check-message.ts";
import type { CheckInput } from "../../../src/pdp/decision.ts";
import type { DecisionEngine } from "../../../src/pdp/pdp.ts";
import { connectClient, startAnswering, told } from "../../server/harness.ts";
import type { Outcome } from "../suite.ts";

/** A real gRPC server on loopback around an engine, with a clock that the test sets, and a client that asks as Envoy does. */
export interface CheckServer {
  /** `127.0.0.1:PORT`. */
  readonly address: string;
  check(input: CheckInput, nowMs: number): Promise<Outcome>;
  close(): Promise<void>;
}

/** Starts one. `options` are the listener's. */
export async function startCheckServer(
  engine: DecisionEngine,
  options: Parameters<typeof startAnswering>[1] = {},
): Promise<CheckServer> {
  let clockMs = 0;
  const answering = await startAnswering(engine, { now: () => clockMs, ...options });
  const client = connectClient(answering.address);
  return {
    address: answering.address,
    async check(input, nowMs) {
      clockMs = nowMs;
      const answer = await client.check(checkMessage(input));
      return read((answer.status?.code ?? 0) === 0 ? "allow" : "deny", told(answer));
    },
    async close() {
      client.close();
      await answering.close();
    },
  };
}

/** The effect as Envoy takes it (code 0, also when absent, lets pass), the rest from the metadata for the access log. */
function read(effect: string, metadata: Record<string, string>): Outcome {
  const { reason = "", rules = "", shadow = "" } = metadata;
  if (metadata.effect !== effect) throw new Error(`the status says ${effect}, the metadata ${metadata.effect}`);
  return { effect, reason, rules: rules === "" ? [] : rules.split(","), shadow };
}
