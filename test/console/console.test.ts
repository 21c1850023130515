import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import axe from "axe-core";
import type { Browser, BrowserContext } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { REPOSITORY, run, runCli } from "../cli/run-cli.ts";
import { type CheckClient, connectClient, httpCheck } from "../server/harness.ts";
import { type Serving, startServing } from "../support/serve.ts";
import { CHROMIUM, launchChromium } from "./chromium.ts";
import { openWatched, type WatchedPage } from "./watched-page.ts";

const VIEWS = ["decisions", "matrix", "denials", "exceptions", "seats", "playground"];
const SOON = { timeout: 30_000 };
const own = mkdtempSync(join(tmpdir(), "sallyport-console-"));
const policies = join(own, "policies");
const ml = "spiffe://cluster.local/ns/ml/sa/scraper";

/** A rule whose expression is evaluated where the engine sits: here in the browser. */
const BY_TEAM = `apiVersion: sallyport.dev/v1alpha1
kind: EgressPolicy
metadata: {name: by-team}
spec:
  owner: payments-team@example.com
  rules:
  - name: refunds-desk
    from: [{serviceAccount: payments/refunds}]
    to: [{service: stripe, ports: [80], methods: [GET], paths: [/v1/balance]}]
    when: headers["x-team"] == "desk" && now < timestamp("2027-01-01T00:00:00Z")
`;

/** In the dark only the colours are others. */
const RUN_AXE = { light: "axe.run()", dark: "axe.run({ runOnly: ['color-contrast'] })" };

let serving: Serving;
let client: CheckClient;
let browser: Browser;
let context: BrowserContext;
let watched: WatchedPage;
let origin = "";

if (CHROMIUM === null)
  process.stdout.write("console: skipped, there is no chromium on the PATH (apt-get install chromium)\n");

describe.skipIf(CHROMIUM === null)("the console", () => {
  beforeAll(async () => {
    // Nothing to do after `npm test`, whose first step it is.
    await run(process.execPath, [join(REPOSITORY, "scripts/build-console.ts")], REPOSITORY);
    cpSync(join(REPOSITORY, "policies"), policies, { recursive: true });
    writeFileSync(join(policies, "payments/by-team.yaml"), BY_TEAM);
    serving = await startServing({ policies, "reload-poll": "500ms", "audit-to": join(own, "audit.jsonl") });
    origin = new URL((await serving.page("/livez")).url).origin;
    client = connectClient(serving.address);
    await client.check(httpCheck());
    await client.check(httpCheck({ principal: ml, path: "/v1/charges?card=4242" }));
    await client.check(httpCheck({ host: "exfiltrate.example.net", method: "POST", path: "/drop" }));
    await client.check(httpCheck({ host: "exfiltrate.example.net", method: "POST", path: "/drop" }));
    browser = await launchChromium(CHROMIUM ?? "");
    context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    watched = await openWatched(context, origin);
    await watched.page.locator(".state code").waitFor(SOON);
    await watched.page.getByRole("row").nth(1).waitFor(SOON);
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    client?.close();
    await serving?.child.stop("SIGKILL");
    rmSync(own, { recursive: true, force: true });
  });

  async function json<T>(path: string): Promise<T> {
    return JSON.parse(await (await serving.page(path)).text());
  }

  /** Follows the navigation. */
  async function open(view: string): Promise<void> {
    await watched.page.locator(`nav a[href="#/${view}"]`).click();
    await watched.page.locator(`nav a[href="#/${view}"][aria-current=page]`).waitFor(SOON);
  }

  const texts = (selector: string): Promise<string[]> => watched.page.locator(selector).allInnerTexts();

  test("is where the admin port leads, and its files are all there is below it", async () => {
    const root = await fetch(`${origin}/`, { redirect: "manual" });
    expect([root.status, root.headers.get("location")]).toEqual([302, "/console/"]);
    const index = await serving.page("/console/");
    expect(index.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(await index.text()).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/);
    const engine = Buffer.from(await (await serving.page("/console/engine.wasm")).arrayBuffer());
    expect(engine.equals(readFileSync(join(REPOSITORY, "build/engine.wasm")))).toBe(true);
    for (const path of ["/console/../engine.wasm.sources", "/console/%2e%2e/engine.wasm.sources", "/console/no.js"]) {
      expect((await serving.page(path)).status).toBe(404);
    }
  });

  test("shows the decisions of the API as they come, by filters", async () => {
    const { page } = watched;
    const before = await json<{ decisions: { id: string }[] }>("/v1/decisions");
    const ids = before.decisions.map(({ id }) => id);
    const shown = () =>
      page.locator("tr[data-id]").evaluateAll((rows) => rows.map((row) => row.getAttribute("data-id")));
    expect(await shown()).toEqual(ids);
    await client.check(httpCheck({ host: "news.example.org", path: "/today" }));
    await page.getByText("GET http://news.example.org/today").waitFor(SOON);
    await page.getByLabel("Text in").fill("ml/sa/scraper");
    expect(await texts("tbody tr td:nth-child(3)")).toEqual(["ml/scraper"]);
    expect(await page.getByText("card=4242").count()).toBe(0);
    await page.getByLabel("Text in").fill("");
    await page.getByLabel("Effect").selectOption("allow");
    expect(await texts("tbody tr td:nth-child(5)")).toEqual(["allowed-by-rule"]);
    await page.getByLabel("Effect").selectOption("");
  });

  test("shows what callers wrote as text", async () => {
    const { page } = watched;
    const markup = "/<img src=x onerror=alert(1)>";
    await client.check(httpCheck({ path: markup, principal: "<script>alert(2)</script>" }));
    await open("decisions");
    await page.getByRole("row").filter({ hasText: markup }).getByRole("link").click();
    await page.getByRole("heading", { level: 1, name: "A decision explained" }).waitFor(SOON);
    expect(await texts(".facts dd")).toContain("<script>alert(2)</script>");
    expect(await page.locator("main img, main script").count()).toBe(0);
  });

  test("explains a decision by the walk of the engine", async () => {
    const { page } = watched;
    await open("decisions");
    await page.getByRole("row").filter({ hasText: "ml/scraper" }).getByRole("link").click();
    await page.getByRole("heading", { level: 1, name: "A decision explained" }).waitFor(SOON);
    const { decisions } = await json<{ decisions: { subject: { spiffeId: string }; time: string }[] }>("/v1/decisions");
    const record = decisions.find(({ subject }) => subject.spiffeId === ml);
    const { steps, rules } = await explained(ml, "GET http://api.stripe.com/v1/charges", "--now", record?.time ?? "");
    expect(await texts(".walk tbody tr th")).toEqual(steps.map(({ name }) => name));
    expect(await texts(".walk tbody tr td:nth-child(2)")).toEqual(steps.map(({ state }) => state));
    expect(await texts(".walk tbody tr td:nth-child(3)")).toEqual(steps.map(({ text }) => text));
    expect(await texts(".rules > li > code")).toEqual(rules.map(({ id }) => id));
    expect(await page.getByRole("note").count()).toBe(0);
  });

  test("tells of each workload and host what the engine says", async () => {
    const { page } = watched;
    await open("matrix");
    const columns = await page.locator(".matrix thead th").evaluateAll((all) => all.map((each) => each.textContent));
    const cell = async (row: string, column: string): Promise<string> => {
      const at = columns.findIndex((each) => each?.startsWith(column));
      return page
        .locator(".matrix tbody tr")
        .filter({ has: page.getByRole("rowheader", { name: row, exact: true }) })
        .locator(`:nth-child(${at + 1})`)
        .first()
        .innerText();
    };
    expect(await cell("payments/checkout", "api.stripe.com80")).toBe("depends");
    expect(await cell("ml/scraper", "api.stripe.com80")).toBe("deny");
    expect(await cell("ci/runner", "github.com443")).toBe("allow");
    expect(await cell("ci/ any other", "github.com443")).toBe("deny");
  });

  test("counts what was denied by destination", async () => {
    await open("denials");
    const row = watched.page.getByRole("row").filter({ hasText: "exfiltrate.example.net:80" });
    expect(await row.locator(".figure").innerText()).toBe("2");
    expect(await row.locator("td").nth(2).innerText()).toBe("unregistered-target");
    expect(await row.locator("svg").getAttribute("aria-label")).toMatch(/^\d ([0-9]+) minutes ago|minutes ago/);
  });

  test("lists exceptions by their end, as `sallyport exceptions` does", async () => {
    await open("exceptions");
    const run = await runCli(["exceptions", "--policies", policies, "--output", "json"]);
    const listed = JSON.parse(run.stdout).exceptions as { rule: string }[];
    expect(listed.length).toBeGreaterThan(0);
    expect(await texts("tbody th")).toEqual(listed.map(({ rule }) => rule));
  });

  test("shows the seats with their leases and revisions", async () => {
    const { page } = watched;
    const worker = "ab".repeat(16);
    const poll = { "x-sallyport-nonce": "cd".repeat(16), "x-sallyport-worker": worker, "x-sallyport-sequence": "0" };
    const first = await fetch(`${origin}/v1/bundle`, { headers: poll });
    const etag = first.headers.get("etag") ?? "";
    await first.arrayBuffer();
    await open("seats");
    await page.getByText("no policies yet").waitFor(SOON);
    expect((await fetch(`${origin}/v1/bundle`, { headers: { ...poll, "if-none-match": etag } })).status).toBe(304);
    const row = page.getByRole("row").filter({ hasText: worker.slice(0, 12) });
    await row.getByText(etag.slice(8, 20)).waitFor(SOON);
    expect(await row.locator("td").nth(2).innerText()).toMatch(/^\d+\.\d s old, (in force|over)$/);
    const { server } = await json<{ server: { name: string } }>("/v1/seats");
    expect(await texts(".facts dd")).toContain(server.name);
  });

  /** Requests of every kind, and what cannot be understood. */
  const QUESTIONS: readonly { from: string; to: string; headers?: string; upgrade?: string; now?: string }[] = [
    { from: "payments/checkout", to: "POST http://api.stripe.com/v1/charges", now: "2026-11-23T12:00:00Z" },
    { from: "payments/checkout", to: "DELETE http://api.stripe.com/v1/charges", now: "2026-11-23T12:00:00Z" },
    {
      from: "payments/checkout",
      to: "POST http://api.stripe.com/v1/payment_intents",
      headers: "x-account=holiday-eu",
      now: "2026-12-24T12:00:00Z",
    },
    {
      from: "payments/checkout",
      to: "POST http://api.stripe.com/v1/payment_intents",
      headers: "x-account=holiday-eu",
      now: "2027-02-01T12:00:00Z",
    },
    {
      from: "payments/refunds",
      to: "GET http://api.stripe.com/v1/balance",
      headers: "x-team=desk",
      now: "2026-11-23T12:00:00Z",
    },
    {
      from: "payments/refunds",
      to: "GET http://api.stripe.com/v1/balance",
      headers: "x-team=shop",
      now: "2026-11-23T12:00:00Z",
    },
    { from: "ci/release", to: "POST http://api.github.com/repos/acme/shop/releases", now: "2026-12-24T12:00:00Z" },
    { from: "ci/runner", to: "GET https://github.com/acme", now: "2026-11-23T12:00:00Z" },
    { from: "data/etl", to: "TLS acme.eu-central-1.snowflakecomputing.com", now: "2026-11-23T12:00:00Z" },
    {
      from: "support/chat",
      to: "GET http://widget-mediator.zopim.com/s/W/ws",
      upgrade: "websocket",
      now: "2026-11-23T12:00:00Z",
    },
    { from: "spiffe://elsewhere.example/x", to: "GET http://api.stripe.com/", now: "2026-11-23T12:00:00Z" },
    { from: "payments/checkout", to: "GET http://169.254.169.254/latest", now: "2026-11-23T12:00:00Z" },
    { from: "payments/checkout", to: "GET http://bücher.example/ü?q", now: "2026-11-23T12:00:00Z" },
  ];

  const byCommandLine = ({ from, to, headers, upgrade, now = "" }: (typeof QUESTIONS)[number]): Promise<Told> =>
    explained(
      from,
      to,
      ...(headers === undefined ? [] : ["--header", headers]),
      ...(upgrade === undefined ? [] : ["--upgrade", upgrade]),
      ...["--now", now],
    );

  async function playground(question: (typeof QUESTIONS)[number]): Promise<void> {
    const { page } = watched;
    for (const name of ["from", "to", "headers", "upgrade", "now"] as const) {
      await page.locator(`[name=${name}]`).fill(question[name] ?? "");
    }
    await page.getByRole("button", { name: "Decide" }).click();
  }

  test("answers in the playground what `sallyport check` answers, without asking the server", async () => {
    await open("playground");
    const deciding: string[] = [];
    // The command line takes its time to start; what it answers does not depend on the page.
    const answers = await Promise.all(QUESTIONS.map(byCommandLine));
    for (const [index, question] of QUESTIONS.entries()) {
      await playground(question);
      const { steps, rules, now: _n, omitted: _o, schema: _s, ...rest } = answers[index] as Told;
      const told = JSON.parse((await watched.page.locator("#answer").textContent()) ?? "");
      const { schema: __, rules: toldRules, ...others } = told;
      deciding.push(...toldRules.map(({ id }: { id: string }) => id));
      expect(others, question.to).toEqual(rest);
      expect(toldRules.map(({ id }: { id: string }) => id)).toEqual(
        rules.filter(({ decides }) => decides).map(({ id }) => id),
      );
      expect(await texts(".rules > li > code")).toEqual(rules.map(({ id }) => id));
      expect(await texts(".walk tbody td:nth-child(2)")).toEqual(steps.map(({ state }) => state));
    }
    expect(deciding).toContain("payments/by-team/refunds-desk");
    await playground({ from: "nobody", to: "nothing" });
    await watched.page.getByText("`nobody` is neither").waitFor(SOON);
  }, 120_000);

  test("can be used by keyboard alone", async () => {
    const { page } = watched;
    await page.goto(`${origin}/console/#/playground`);
    await page.reload();
    await page.locator("[name=from]").waitFor(SOON);
    const reached: string[] = [];
    for (let step = 0; step < 40; step++) {
      await page.keyboard.press("Tab");
      const focused = await page.evaluate<string>(
        "document.activeElement.getAttribute('name') ?? document.activeElement.textContent",
      );
      reached.push(focused);
      if (focused === "Decide") break;
    }
    expect(reached[0]).toBe("Skip to the content");
    for (const each of ["Live decisions", "Who may reach what", "Pause", "from", "to", "Decide"])
      expect(reached).toContain(each);
    await page.locator("[name=from]").fill("payments/checkout");
    await page.locator("[name=to]").fill("POST http://api.stripe.com/v1/charges");
    await page.locator("[name=to]").press("Enter");
    await page.locator(".verdict").waitFor(SOON);
    await page.locator("nav a").first().press("Enter");
    await expect.poll(() => page.evaluate<string>("document.activeElement.tagName"), SOON).toBe("H1");
  });

  test("has told nobody and broken none of its own rules", () => {
    expect(watched.foreign).toEqual([]);
    expect(watched.complaints).toEqual([]);
  });

  test("has no serious fault that axe finds, in light and dark", async () => {
    const free = await browser.newContext({ bypassCSP: true });
    const page = await free.newPage();
    await page.goto(`${origin}/console/`);
    await page.locator("tr[data-id]").first().waitFor(SOON);
    await page.evaluate(axe.source);
    const id = await page.locator("tr[data-id]").first().getAttribute("data-id");
    const asked = "playground?from=payments/checkout&to=GET+http://api.stripe.com/v1/charges";
    for (const view of [...VIEWS.slice(0, -1), asked, `decision/${id}`]) {
      await page.evaluate(`location.hash = ${JSON.stringify(`#/${view}`)}`);
      await page.locator("main h1").waitFor(SOON);
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme });
        const { violations } = await page.evaluate<{ violations: Violation[] }>(RUN_AXE[colorScheme]);
        const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
        const told = serious.map(({ id, nodes }) => `${id} ${nodes.map(({ html }) => html).join(" ")}`);
        expect(told, `${view} ${colorScheme}`).toEqual([]);
      }
    }
    await free.close();
  }, 120_000);

  test("answers anew when other policies come into force, and shows namespaces whose documents have errors", async () => {
    await open("playground");
    await playground({ from: "broken/app", to: "GET http://api.stripe.com/v1/charges" });
    await watched.page.locator(".verdict").getByText("no-matching-rule").waitFor(SOON);
    mkdirSync(join(policies, "broken"));
    writeFileSync(join(policies, "broken/bad.yaml"), "apiVersion: sallyport.dev/v1alpha1\nkind: Nothing\n");
    await watched.page.locator(".verdict").getByText("namespace-invalid").waitFor(SOON);
    await open("seats");
    await watched.page
      .getByRole("listitem")
      .filter({ hasText: /^broken$/ })
      .waitFor(SOON);
    expect((await json<{ staleNamespaces: string[] }>("/readyz")).staleNamespaces).toEqual(["broken"]);
  });
});

interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string }[];
}

interface Told extends Record<string, unknown> {
  readonly steps: readonly { readonly name: string; readonly state: string; readonly text: string }[];
  readonly rules: readonly { readonly id: string; readonly decides: boolean }[];
}

/** What `sallyport explain` tells, which holds all of `check`. */
async function explained(from: string, to: string, ...more: readonly string[]): Promise<Told> {
  const run = await runCli(["explain", from, to, "--policies", policies, "--output", "json", ...more]);
  return JSON.parse(run.stdout) as Told;
}
