import { requestHttp1, requestHttp2, requestTlsInTls, sendBytes } from "../../src/cli/demo/client.ts";
import type { Lab } from "../../src/cli/demo/lab.ts";
import { uri } from "../../src/cli/demo/pki.ts";
import { listenerKind, outerSni } from "../../src/generate/listeners.ts";
import type { Reach, Target, Workload } from "../support/reach.ts";

const AT_ONCE = 16;

/** What `check` says and what came of it, where they differ. */
export async function differences(lab: Lab, reach: Reach, trustDomain: string): Promise<readonly string[]> {
  // Envoy takes the h2c out of a request, which then is a plain one, and decided so.
  const targets = reach.targets.filter(({ upgrade }) => upgrade !== "h2c");
  const pairs = reach.workloads.flatMap((workload) => targets.map((target) => ({ workload, target })));
  const found: string[] = [];
  for (let i = 0; i < pairs.length; i += AT_ONCE) {
    const some = pairs.slice(i, i + AT_ONCE);
    const outcomes = await Promise.all(some.map(({ workload, target }) => attempt(lab, workload, target, trustDomain)));
    for (const [j, { workload, target }] of some.entries()) {
      const expected = reach.leaves(workload, target);
      if ((outcomes[j] === "reached") === expected) continue;
      const { host, port, upgrade } = target;
      const what = `${upgrade ?? port.protocol} ${host}:${port.number}`;
      found.push(
        `${workload.namespace}/${workload.serviceAccount} → ${what}: check says ${expected}, the gateway ${outcomes[j]}`,
      );
    }
  }
  return found;
}

async function attempt(
  lab: Lab,
  workload: Workload,
  { host, port, upgrade }: Target,
  trustDomain: string,
): Promise<string> {
  const caller = await lab.caller([
    uri(`spiffe://${trustDomain}/ns/${workload.namespace}/sa/${workload.serviceAccount}`),
  ]);
  const kind = listenerKind(port.protocol);
  const at = lab.port(kind, port.number);
  const authority = `${host}:${port.number}`;
  switch (kind) {
    case "http": {
      const headers =
        upgrade === null
          ? []
          : ["connection: Upgrade", `upgrade: ${upgrade}`, "sec-websocket-version: 13", "sec-websocket-key: AAAA"];
      const { status } = await requestHttp1(caller, at, "GET /x", [`host: ${authority}`, ...headers]);
      return status === (upgrade === null ? 200 : 101) ? "reached" : `answers ${status}`;
    }
    case "grpc": {
      const headers = {
        ":method": "POST",
        ":scheme": "http",
        ":path": "/x",
        ":authority": authority,
        "content-type": "application/grpc",
      };
      const { status, body } = await requestHttp2(caller, at, headers);
      return status === 200 && body.includes("outside") ? "reached" : `answers ${status}`;
    }
    case "tls": {
      const inner = { servername: host, ca: lab.authorities.outside.cert };
      const { status } = await requestTlsInTls(caller, at, host, inner);
      return status === 200 ? "reached" : `answers ${status}`;
    }
    case "tcp": {
      const text = "select 1\n";
      const received = await sendBytes(caller, at, text, outerSni("tcp", port.number, host), (all) =>
        all.includes(text),
      );
      return received.includes(text) ? "reached" : "closes";
    }
  }
}
