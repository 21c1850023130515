/**
 * `npm run bench:reuse`: how many TLS connections leave the mesh for the same requests, once with TLS made at the
 * gateway and once by the applications, on real Envoy. Writes docs/upstream-connections.md.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { requestHttp1, requestTlsInTls } from "../../src/cli/demo/client.ts";
import { type Lab, startLab } from "../../src/cli/demo/lab.ts";

const WORKLOADS = 50;
const REQUESTS = 2_000;
const AT_ONCE = 16;
/** Each of the gateway's workers has a pool of its own. */
const WORKERS = 2;

const POLICIES = join(import.meta.dirname, "reuse-policies");
const PAGE = join(import.meta.dirname, "../../docs/upstream-connections.md");

/** Sends all requests, by one workload after the other, and counts the connections that the outside accepts meanwhile. */
async function handshakes(lab: Lab, send: (workload: string) => Promise<number | null>): Promise<number> {
  const before = lab.upstream.connections.tls;
  for (let i = 0; i < REQUESTS; i += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, REQUESTS - i) }, (_, j) => `shop/w${(i + j) % WORKLOADS}`);
    const statuses = await Promise.all(some.map(send));
    const failed = statuses.find((status) => status !== 200);
    if (failed !== undefined) throw new Error(`a request was answered ${failed}`);
  }
  return lab.upstream.connections.tls - before;
}

const lab = await startLab({ policies: POLICIES, timeoutMs: 5_000 });
try {
  const atGateway = (host: string) => async (who: string) =>
    (await requestHttp1(await lab.workload(who), lab.port("http", 80), "GET /", [`host: ${host}`])).status;
  const own = async (who: string) => {
    const inner = { servername: "own.example.com", ca: lab.authorities.outside.cert };
    return (await requestTlsInTls(await lab.workload(who), lab.port("tls", 443), "own.example.com", inner)).status;
  };
  const rows = [
    ["at the gateway, shared by all (`share: all`)", await handshakes(lab, atGateway("shared.example.com"))],
    ["at the gateway, apart by workload (`share: workload`)", await handshakes(lab, atGateway("apart.example.com"))],
    ["by the application, a connection for each request", await handshakes(lab, own)],
  ] as const;
  const table = rows.map(([who, count]) => `| ${who} | ${count} | ${(REQUESTS / count).toFixed(1)} |`);
  const page = `# TLS connections outside

\`\`\`sh
npm run bench:reuse
\`\`\`

${REQUESTS.toLocaleString("en")} requests of ${WORKLOADS} workloads to one host, ${AT_ONCE} at a time, through the gateway that \`sallyport generate envoy\` makes, on a real
Envoy with ${WORKERS} workers. Counted at the server outside. With TLS made at the gateway the number of connections follows from how many
requests are under way at once: a pool holds at most ${AT_ONCE} here, and each worker has one, so the goal is at most ${AT_ONCE * WORKERS}, whatever the
number of workloads. Applications that speak TLS themselves and keep their connections would make at least ${WORKLOADS}.

| TLS is made | TLS handshakes with the server | requests a handshake |
|---|---|---|
${table.join("\n")}
`;
  const [[, shared]] = rows;
  if (shared > AT_ONCE * WORKERS) throw new Error(`${shared} connections are more than the pools hold`);
  await writeFile(PAGE, page);
  process.stdout.write(`${table.join("\n")}\n`);
} finally {
  await lab.close();
}
