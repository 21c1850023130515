import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, get, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { requestHttp1 } from "../../src/cli/demo/client.ts";
import { type Lab, startLab } from "../../src/cli/demo/lab.ts";
import { freePorts } from "../../src/cli/demo/ports.ts";
import { REPOSITORY } from "../cli/run-cli.ts";
import { E2E_POLICIES } from "../support/gateway.ts";
import { noPrometheus, type Prometheus, startPrometheus } from "../support/prometheus.ts";
import { untilSeated } from "../support/seat.ts";
import { type Serving, startServing } from "../support/serve.ts";

const RULES = join(REPOSITORY, "deploy/prometheus/rules.yaml");
const TESTS = join(REPOSITORY, "deploy/prometheus/tests.yaml");
/** Nothing is in report mode here. */
const EMPTY = ["What report mode would deny"];
const missing = noPrometheus();
if (missing !== null) process.stdout.write(`no Prometheus: ${missing}\n`);

interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly annotations?: { readonly runbook_url: string };
}
interface Panel {
  readonly type: string;
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

const read = (path: string): string => readFileSync(join(REPOSITORY, path), "utf8");
const rules: readonly Rule[] = parse(readFileSync(RULES, "utf8")).groups.flatMap(
  (group: { rules: readonly Rule[] }) => group.rules,
);
const alerts = rules.flatMap(({ alert }) => alert ?? []);
const panels: readonly Panel[] = JSON.parse(read("deploy/grafana/sallyport.json")).panels;
const queries = panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })));

/** Metrics of Sallyport that an expression names; a histogram by its own name. */
function metricsOf(expression: string): readonly string[] {
  const names = expression.replaceAll(/"[^"]*"/g, "").match(/\bsallyport[_:][\w:]+/g) ?? [];
  return names.map((name) => name.replace(/_bucket$/, ""));
}

describe("the runbook", () => {
  const sections = [...read("docs/runbook.md").matchAll(/^### (\S+)$/gm)].map(([, name]) => name);

  it("has a section for each alert, and no other", () => {
    expect([...sections].sort()).toEqual([...alerts].sort());
  });

  it.each(rules.filter(({ alert }) => alert !== undefined))("is where $alert leads", ({ alert = "", annotations }) => {
    expect(annotations?.runbook_url).toBe(`docs/runbook.md#${alert.toLowerCase()}`);
  });
});

describe("the alerts and the dashboard", () => {
  let lab: Lab;
  let cluster: Serving;
  let kubeconfig: string;
  /** Envoy's admin page of metrics, over TCP. */
  let envoy: Server;
  let prometheus: Prometheus | null = null;
  beforeAll(async () => {
    lab = await startLab({ policies: E2E_POLICIES, timeoutMs: 3_000, seat: "gateway" });
    const [closed = 0] = await freePorts(1);
    kubeconfig = join(tmpdir(), `sallyport-kubeconfig-${process.pid}`);
    writeFileSync(kubeconfig, nobodyAt(closed));
    const flags = { "policy-source": "kubernetes", "kubernetes-kubeconfig": kubeconfig, "audit-to": "none" };
    cluster = await startServing({ ...flags, "log-level": "silent" }, "/livez");
    const socketPath = join(lab.directory, "envoy-admin.sock");
    envoy = createServer((_, response) => {
      get({ socketPath, path: "/stats/prometheus" }, (page) => {
        response.writeHead(page.statusCode ?? 502, { "content-type": "text/plain" });
        page.pipe(response);
      }).on("error", () => response.writeHead(502).end());
    }).listen(0, "127.0.0.1");
    await once(envoy, "listening");
    const workload = await lab.workload("shop/cart");
    await untilSeated(lab, () => requestHttp1(workload, lab.port("http", 80), "GET /", ["host: api.example.com"]));
    if (missing !== null) return;
    const servers = [lab.adminPort, cluster.adminPort].map((port) => `127.0.0.1:${port}`);
    prometheus = await startPrometheus({ sallyport: servers, gateway: [`127.0.0.1:${envoyPort()}`] }, RULES);
  }, 120_000);
  afterAll(async () => {
    await prometheus?.close();
    envoy?.closeAllConnections();
    envoy?.close();
    await cluster?.child.stop();
    await lab?.close();
    if (kubeconfig !== undefined) rmSync(kubeconfig, { force: true });
  }, 60_000);
  const envoyPort = () => (envoy.address() as AddressInfo).port;
  const text = async (port: number, path = "/metrics") => (await fetch(`http://127.0.0.1:${port}${path}`)).text();

  it("name metrics that servers and gateways have, and rules that are there", async () => {
    const pages = await Promise.all([text(lab.adminPort), text(cluster.adminPort), text(envoyPort(), "/")]);
    const known = new Set(pages.flatMap((page) => [...page.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name)));
    for (const { record } of rules) if (record !== undefined) known.add(record);
    const named = [...rules, ...queries].flatMap(({ expr }) => metricsOf(expr));
    expect(new Set(named).size).toBeGreaterThan(30);
    expect([...new Set(named)].filter((name) => !known.has(name))).toEqual([]);
    const [, , gateway = ""] = pages;
    const pattern = rules.find(({ record }) => record !== undefined)?.expr.match(/=~"([^"]+)"/)?.[1] ?? "";
    const errors = [...gateway.matchAll(/^# TYPE (\S*ext_authz\S*_error) counter/gm)].map(([, name = ""]) => name);
    expect(errors.length).toBeGreaterThan(3);
    expect(errors.filter((name) => !new RegExp(`^(${pattern})$`).test(name))).toEqual([]);
  });

  describe.skipIf(missing !== null)("in a real Prometheus", () => {
    it("the rules are well formed, and each alert fires when it must", () => {
      for (const [what, file] of [
        ["check", RULES],
        ["test", TESTS],
      ] as const) {
        const { status, stdout, stderr } = spawnSync("promtool", [what, "rules", file], { encoding: "utf8" });
        expect(`${status} ${status === 0 ? "" : stdout + stderr}`).toBe("0 ");
      }
      const tested = parse(readFileSync(TESTS, "utf8")).tests.map(({ name }: { name: string }) => name);
      expect(tested.sort()).toEqual([...alerts].sort());
    });

    it("the rules are evaluated without a problem", async () => {
      const settled = { count: rules.length, problems: [] };
      await expect.poll(() => prometheus?.rules(), { timeout: 60_000, interval: 500 }).toEqual(settled);
    }, 90_000);

    it("each query of the dashboard has data", async () => {
      const run = async () => {
        const answers = await Promise.all(
          queries.map(async ({ title, expr }) => {
            const filled = expr.replaceAll("$__rate_interval", "20s").replaceAll("$instance", ".*");
            const answer = await prometheus?.query(filled);
            if (answer === undefined || "error" in answer) return `${title}: ${answer?.error}`;
            return (answer.series === 0) === EMPTY.includes(title)
              ? []
              : `${title}: ${answer.series} series: ${filled}`;
          }),
        );
        return answers.flat();
      };
      await expect.poll(run, { timeout: 60_000, interval: 1_000 }).toEqual([]);
    }, 90_000);
  });
});

/** A kubeconfig of an API server that does not answer. */
function nobodyAt(port: number): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "none", cluster: { server: `http://127.0.0.1:${port}` } }],
    users: [{ name: "nobody", user: {} }],
    contexts: [{ name: "none", context: { cluster: "none", user: "nobody" } }],
    "current-context": "none",
  });
}
