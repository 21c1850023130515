/** Takes the pictures of docs/console.md: a real server, real Checks, Debian's Chromium. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { REPOSITORY } from "../cli/run-cli.ts";
import { connectClient, httpCheck } from "../server/harness.ts";
import { startServing } from "../support/serve.ts";
import { CHROMIUM, launchChromium } from "./chromium.ts";

const QUESTION = {
  from: "ci/release",
  to: "POST http://api.github.com/repos/acme/shop/releases",
  now: "2026-12-24T12:00:00Z",
};
const PICTURES = [
  { name: "decisions-light", view: "decisions", colorScheme: "light" },
  { name: "decisions-dark", view: "decisions", colorScheme: "dark" },
  { name: "matrix-light", view: "matrix", colorScheme: "light" },
  { name: "matrix-dark", view: "matrix", colorScheme: "dark" },
  { name: "playground-light", view: `playground?${new URLSearchParams(QUESTION)}`, colorScheme: "light" },
  { name: "playground-dark", view: `playground?${new URLSearchParams(QUESTION)}`, colorScheme: "dark" },
] as const;

const REQUESTS = [
  ["payments/checkout", "POST", "api.stripe.com", "/v1/charges"],
  ["payments/checkout", "GET", "api.stripe.com", "/v1/charges/ch_1"],
  ["payments/refunds", "POST", "files.stripe.com", "/v1/files"],
  ["payments/checkout", "DELETE", "api.stripe.com", "/v1/charges/ch_1"],
  ["ci/runner", "GET", "registry.npmjs.org", "/left-pad"],
  ["ci/runner", "GET", "api.github.com", "/repos/acme/shop"],
  ["ci/release", "POST", "api.github.com", "/gists"],
  ["ml/scraper", "GET", "huggingface.co", "/"],
  ["support/desk", "GET", "api.stripe.com", "/v1/charges"],
  ["support/desk", "POST", "paste.example.net", "/upload"],
  ["support/desk", "POST", "paste.example.net", "/upload"],
  ["data/etl", "GET", "169.254.169.254", "/latest/meta-data"],
] as const;

if (CHROMIUM === null) throw new Error("there is no chromium on the PATH (apt-get install chromium)");
const own = mkdtempSync(join(tmpdir(), "sallyport-pictures-"));
const serving = await startServing({ "audit-to": join(own, "audit.jsonl") });
const client = connectClient(serving.address);
for (const [who, method, host, path] of REQUESTS) {
  const [namespace, account] = who.split("/");
  await client.check(
    httpCheck({ principal: `spiffe://cluster.local/ns/${namespace}/sa/${account}`, method, host, path }),
  );
}
const browser = await launchChromium(CHROMIUM);
const { origin } = new URL((await serving.page("/livez")).url);
for (const { name, view, colorScheme } of PICTURES) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 760 }, colorScheme });
  await page.goto(`${origin}/console/#/${view}`);
  await page.locator("tbody tr").first().waitFor();
  await page.locator(".state code").waitFor();
  await page.screenshot({ path: join(REPOSITORY, `docs/pictures/console-${name}.png`) });
  await page.close();
}
await browser.close();
client.close();
await serving.child.stop();
rmSync(own, { recursive: true, force: true });
