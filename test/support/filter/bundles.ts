import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { createLeases } from "../../../src/server/gateway/leases.ts";
import { policyPage } from "../../../src/server/gateway/policy-page.ts";
import { createSequences } from "../../../src/server/gateway/sequences.ts";
import type { LoadedPolicies } from "../../../src/server/policy-state.ts";

/** Serves policies as the server does. `given` is called whenever some are taken. */
export async function serveBundles(loaded: () => LoadedPolicies | null, given: () => void): Promise<Server> {
  const lessor = {
    mode: "batch" as const,
    sequences: createSequences(
      () => performance.now(),
      () => {},
    ),
    leases: createLeases(() => performance.now()),
    recordedHeaders: [],
    sign: null,
  };
  const server = createServer((request, response) => {
    const page = policyPage(request.headers, { loaded, ready: () => true, lessor });
    if (page.status === 200) given();
    response.writeHead(page.status, page.headers);
    response.end(page.body);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}
