import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Answer, type Caller, requestHttp1, requestHttp2, requestTlsInTls } from "./client.ts";
import type { AuditRecord, Lab } from "./lab.ts";
import { uri } from "./pki.ts";
import { waitUntil } from "./process.ts";

/** One request of the demonstration and what became of it. */
export interface DemoStep {
  readonly who: string;
  readonly what: string;
  /** HTTP status, or `closed`. */
  readonly seen: string;
  readonly effect: string;
  readonly reason: string;
  readonly rules: readonly string[];
  readonly cacheHit: boolean;
  readonly asExpected: boolean;
}

interface Plan {
  readonly who: string;
  readonly what: string;
  readonly send: (lab: Lab) => Promise<Answer>;
  /** Null = closed without an answer. */
  readonly status: number | null;
  /** Null = the gateway refuses the connection itself: nobody is asked and there is no record. */
  readonly reason: string | null;
  readonly cacheHit?: boolean;
}

const PATIENCE_MS = 5_000;

function plain(caller: (lab: Lab) => Promise<Caller>, line: string, ...headers: string[]): Plan["send"] {
  return async (lab) => requestHttp1(await caller(lab), lab.port("http", 80), line, headers);
}

const workload = (name: string) => (lab: Lab) => lab.workload(name);

const CHARGE = plain(workload("payments/checkout"), "POST /v1/charges", "host: api.stripe.com", "content-length: 0");

const PLANS: readonly Plan[] = [
  {
    who: "payments/checkout",
    what: "POST http://api.stripe.com/v1/charges",
    send: CHARGE,
    status: 200,
    reason: "allowed-by-rule",
  },
  {
    who: "payments/checkout",
    what: "the same again",
    send: CHARGE,
    status: 200,
    reason: "allowed-by-rule",
    cacheHit: true,
  },
  {
    who: "payments/checkout",
    what: "the same over HTTP/2",
    send: async (lab) =>
      requestHttp2(await lab.workload("payments/checkout"), lab.port("http", 80), {
        ":method": "POST",
        ":path": "/v1/charges",
        ":authority": "api.stripe.com",
        ":scheme": "http",
      }),
    status: 200,
    reason: "allowed-by-rule",
    cacheHit: true,
  },
  {
    who: "payments/checkout",
    what: "DELETE http://api.stripe.com/v1/charges/ch_1",
    send: plain(workload("payments/checkout"), "DELETE /v1/charges/ch_1", "host: api.stripe.com"),
    status: 403,
    reason: "denied-by-rule",
  },
  {
    who: "payments/checkout",
    what: "GET http://api.stripe.com/v1/charges/../customers",
    send: plain(workload("payments/checkout"), "GET /v1/charges/../customers", "host: api.stripe.com"),
    status: 403,
    reason: "no-matching-rule",
  },
  {
    who: "support/desk",
    what: "GET http://api.stripe.com/v1/charges",
    send: plain(workload("support/desk"), "GET /v1/charges", "host: api.stripe.com"),
    status: 403,
    reason: "denied-by-rule",
  },
  {
    who: "payments/checkout",
    what: "GET http://exfiltrate.example.org/",
    send: plain(workload("payments/checkout"), "GET /", "host: exfiltrate.example.org"),
    status: 403,
    reason: "unregistered-target",
  },
  {
    who: "ml/notebook",
    what: "GET http://169.254.169.254/latest/meta-data",
    send: plain(workload("ml/notebook"), "GET /latest/meta-data", "host: 169.254.169.254"),
    status: 403,
    reason: "guarded-target",
  },
  {
    who: "support/chat",
    what: "GET http://widget-mediator.zopim.com/ws (websocket)",
    send: plain(
      workload("support/chat"),
      "GET /ws",
      "host: widget-mediator.zopim.com",
      "connection: Upgrade",
      "upgrade: websocket",
    ),
    status: 101,
    reason: "allowed-by-rule",
  },
  {
    who: "ci/runner",
    what: "TLS github.com (the application's own)",
    send: async (lab) =>
      requestTlsInTls(await lab.workload("ci/runner"), lab.port("tls", 443), "github.com", {
        servername: "github.com",
        ca: lab.authorities.outside.cert,
      }),
    status: 200,
    reason: "allowed-by-rule",
  },
  {
    who: "payments/checkout",
    what: "TLS github.com (the application's own)",
    send: async (lab) =>
      requestTlsInTls(await lab.workload("payments/checkout"), lab.port("tls", 443), "github.com", {
        servername: "github.com",
        ca: lab.authorities.outside.cert,
      }),
    status: null,
    reason: "no-matching-rule",
  },
  {
    who: "partner.example/settlement/agent-1",
    what: "POST http://settle.clearing.example.net/batches/1/lines",
    send: plain(
      (lab) => lab.caller([uri("spiffe://partner.example/settlement/agent-1")], lab.authorities.partner),
      "POST /batches/1/lines",
      "host: settle.clearing.example.net",
      "content-length: 0",
    ),
    status: 200,
    reason: "allowed-by-rule",
  },
  {
    who: "the partner's CA, as payments/checkout",
    what: "POST http://api.stripe.com/v1/charges",
    send: plain(
      (lab) => lab.caller([uri("spiffe://cluster.local/ns/payments/sa/checkout")], lab.authorities.partner),
      "POST /v1/charges",
      "host: api.stripe.com",
      "content-length: 0",
    ),
    status: null,
    reason: null,
  },
];

const REVOKED: Plan = {
  who: "payments/checkout",
  what: "POST http://api.stripe.com/v1/charges, after the edit",
  send: CHARGE,
  status: 403,
  reason: "no-matching-rule",
};

/** Sends everything, then revokes the first rule and shows the next decision. */
export async function runScenario(lab: Lab, progress: (step: string) => void): Promise<readonly DemoStep[]> {
  progress("sending requests");
  const steps: DemoStep[] = [];
  for (const plan of PLANS) steps.push(await take(lab, plan));
  progress("editing a policy: POST is taken out of payments-to-stripe/charge");
  const file = join(lab.policies, "payments", "stripe.yaml");
  const text = await readFile(file, "utf8");
  await writeFile(file, text.replace("methods: [GET, POST]", "methods: [GET]"));
  let step = await take(lab, REVOKED);
  await waitUntil(
    "the edited policy taking effect",
    async () => {
      // Each waits for its own record: one that comes late would be taken for the next one's.
      if (!step.asExpected) step = await take(lab, REVOKED);
      return step.asExpected;
    },
    PATIENCE_MS,
  ).catch(() => undefined);
  steps.push(step);
  return steps;
}

async function take(lab: Lab, plan: Plan): Promise<DemoStep> {
  const before = (await lab.records()).length;
  const answer = await plan.send(lab);
  const record = plan.reason === null ? null : await nextRecord(lab, before);
  const reason = record?.reason ?? "no mTLS, no question";
  const reasonFits = plan.reason === null ? record === null : record?.reason === plan.reason;
  const cacheFits = plan.cacheHit === undefined || record?.cacheHit === plan.cacheHit;
  return {
    who: plan.who,
    what: plan.what,
    seen: answer.status === null ? "closed" : String(answer.status),
    effect: record?.effect ?? "refused",
    reason,
    rules: record?.rules ?? [],
    cacheHit: record?.cacheHit ?? false,
    asExpected: answer.status === plan.status && reasonFits && cacheFits,
  };
}

/** The record after the first `before`; null when none comes. */
async function nextRecord(lab: Lab, before: number): Promise<AuditRecord | null> {
  let found: AuditRecord | null = null;
  const look = async (): Promise<boolean> => {
    found = (await lab.records())[before] ?? null;
    return found !== null;
  };
  await waitUntil("an audit record", look, PATIENCE_MS).catch(() => undefined);
  return found;
}
