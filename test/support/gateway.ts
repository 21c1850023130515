import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll } from "vitest";
import type { Answer, Caller } from "../../src/cli/demo/client.ts";
import { type AuditRecord, type Lab, type LabOptions, startLab } from "../../src/cli/demo/lab.ts";
import { uri } from "../../src/cli/demo/pki.ts";

/** The policies that end-to-end tests are written against. */
export const E2E_POLICIES = new URL("../e2e/policies", import.meta.url).pathname;

const RECORD_LIMIT_MS = 5_000;

/** One real gateway for a test file: server, Envoy and outside, started before its first test and ended after its last. */
export function useGateway(options: Partial<LabOptions> = {}): Gateway {
  let lab: Lab | null = null;
  const current = (): Lab => {
    if (lab === null) throw new Error("the gateway is not running");
    return lab;
  };
  beforeAll(async () => {
    lab = await startLab({ policies: E2E_POLICIES, timeoutMs: 3_000, ...options });
  });
  afterAll(async () => {
    await lab?.close();
  });
  return createGateway(current);
}

/** What one attempt led to: the answer and every audit record it left. */
export interface Outcome {
  readonly answer: Answer;
  readonly records: readonly AuditRecord[];
}

/** A gateway as tests use it. */
export interface Gateway {
  readonly lab: Lab;
  /** `namespace/serviceaccount` of the mesh, or a whole SPIFFE ID (a partner's is signed by the partner). */
  as(who: string): Promise<Caller>;
  /** Does something and waits for the records that it leaves. */
  outcome(act: () => Promise<Answer>, expectedRecords: number): Promise<Outcome>;
}

function createGateway(current: () => Lab): Gateway {
  return {
    get lab() {
      return current();
    },
    as(who) {
      const lab = current();
      if (!who.startsWith("spiffe://")) return lab.workload(who);
      return lab.caller([uri(who)], who.startsWith("spiffe://partner.example/") ? lab.authorities.partner : undefined);
    },
    async outcome(act, expectedRecords) {
      const lab = current();
      const before = (await lab.records()).length;
      const answer = await act();
      const deadline = Date.now() + RECORD_LIMIT_MS;
      let records = (await lab.records()).slice(before);
      while (records.length < expectedRecords && Date.now() < deadline) {
        await sleep(10);
        records = (await lab.records()).slice(before);
      }
      return { answer, records };
    },
  };
}

/** Waits until all of a gateway's workers answer so: connections are spread over them by chance, so many are tried. */
export async function everyWorker(
  status: () => Promise<number | null>,
  wanted: number,
  limitMs: number,
): Promise<boolean> {
  const all = async (): Promise<boolean> => {
    for (let n = 0; n < 16; n += 1) if ((await status()) !== wanted) return false;
    return true;
  };
  return eventually(all, (done) => done, limitMs);
}

/** Repeats an attempt until it satisfies `done` or the limit is over; the last answer either way. */
export async function eventually<T>(
  attempt: () => Promise<T>,
  done: (value: T) => boolean,
  limitMs: number,
): Promise<T> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const value = await attempt();
    if (done(value) || Date.now() > deadline) return value;
    await sleep(25);
  }
}

/** Envoy's access log so far. */
export async function accessLog(lab: Lab): Promise<string> {
  return readFile(`${lab.directory}/access.jsonl`, "utf8");
}
