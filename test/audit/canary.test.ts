import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { trailFiles } from "../../src/audit/segment-names.ts";
import { connectClient, httpCheck } from "../server/harness.ts";
import { startServing } from "../support/serve.ts";

/** Requests of a default run; `CANARY_REQUESTS=1000000` asks for more. */
const REQUESTS = Number(process.env.CANARY_REQUESTS ?? 20_000);
const IN_FLIGHT = 64;
/** Stands in every secret, and nowhere else. */
const MARK = "cAnArY";

const secret = () => `${MARK}${randomBytes(6).toString("hex")}`;

/** A request with secrets wherever a client may put them: well-formed ones, and such as nobody should send. */
function requestWithSecrets(n: number) {
  const host = ["api.stripe.com", "unknown.example.org", "api.openai.com"][n % 3] ?? "";
  const headers: [string, string][] = [
    ["authorization", `Bearer ${secret()}`],
    ["cookie", `session=${secret()}`],
    ["x-api-key", secret()],
    ["x-anything", secret()],
    ["referer", `https://${secret()}@example.com/?q=${secret()}`],
    ["user-agent", "curl"],
    [`x-${n % 7}`, secret()],
  ];
  const paths = [
    `/v1/charges?token=${secret()}`,
    `/v1/charges/${n}?a=${secret()}&b=%00${secret()}`,
    `/v1/charges#${secret()}`,
    `https://user:${secret()}@${host}/v1?x=${secret()}`,
    `//user:${secret()}@${host}/v1`,
  ];
  const hosts = [host, host, `user:${secret()}@${host}`, `${host}?${secret()}`, `${host}#${secret()}`];
  const message = httpCheck({ headers, path: paths[n % 5] ?? "", host: hosts[(n >> 3) % 5] ?? "" });
  const http = message.attributes?.request?.http;
  const body = `{"password":"${secret()}"}`;
  return { attributes: { ...message.attributes, request: { http: { ...http, body, raw_body: Buffer.from(body) } } } };
}

it(
  `${REQUESTS} requests with secrets leave no byte of them in trail, log, metrics or answers`,
  async () => {
    const directory = mkdtempSync(join(tmpdir(), "sallyport-canary-"));
    const file = join(directory, "audit.jsonl");
    const server = await startServing({
      "audit-to": [file, "stdout"],
      "audit-headers-include": ["authorization", "cookie", "x-api-key", "user-agent"],
      "audit-max-files": "1000",
      "audit-compress": "none",
      "log-level": "debug",
    });
    const client = connectClient(server.address);
    try {
      let asked = 0;
      const leaks: string[] = [];
      const look = (where: string, text: string) => {
        if (text.includes(MARK))
          leaks.push(`${where}: ${text.slice(Math.max(0, text.indexOf(MARK) - 200), text.indexOf(MARK) + 60)}`);
      };
      const ask = async () => {
        while (asked < REQUESTS && leaks.length === 0) {
          const n = asked++;
          look("answer", JSON.stringify(await client.check(requestWithSecrets(n) as never)));
          if (n % 1_000 === 0) look("output", server.child.output());
        }
      };
      await Promise.all(Array.from({ length: IN_FLIGHT }, ask));
      for (const page of ["/metrics", "/v1/decisions", "/readyz"]) look(page, await (await server.page(page)).text());
      await server.child.stop();
      look("output", server.child.output());
      let records = 0;
      for (const { path } of await trailFiles(file)) {
        const text = readFileSync(path, "utf8");
        look("trail", text);
        records += text.split('"headers":{"user-agent":"curl"}').length - 1;
      }
      expect(leaks).toEqual([]);
      expect(records).toBe(REQUESTS);
      process.stdout.write(`${records} requests with secrets: none of them anywhere\n`);
    } finally {
      client.close();
      await server.child.stop();
      rmSync(directory, { recursive: true, force: true });
    }
  },
  60_000 + REQUESTS,
);
