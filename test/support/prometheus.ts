import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { freePorts } from "../../src/cli/demo/ports.ts";
import { type Child, startChild, waitUntil } from "../../src/cli/demo/process.ts";

/** What a query came to: how many series, or what Prometheus has against it. */
export type Queried = { readonly series: number } | { readonly error: string };

type QueryAnswer =
  | { readonly status: "success"; readonly data: { readonly result: readonly unknown[] } }
  | { readonly status: "error"; readonly error: string };

interface RulesAnswer {
  readonly data: {
    readonly groups: readonly {
      readonly rules: readonly { readonly name: string; readonly health: string; readonly lastError?: string }[];
    }[];
  };
}

/** A real Prometheus on loopback. */
export interface Prometheus {
  query(expression: string): Promise<Queried>;
  /** Problems of the rules that it evaluates, as `name: problem`, and how many rules there are. */
  rules(): Promise<{ readonly count: number; readonly problems: readonly string[] }>;
  close(): Promise<void>;
}

/** Why there is no Prometheus here, or null. */
export function noPrometheus(): string | null {
  const found = ["prometheus", "promtool"].every((name) => spawnSync(name, ["--version"]).status === 0);
  return found ? null : "prometheus and promtool (Debian's package `prometheus`) are not on the PATH";
}

/** Starts one that scrapes these jobs each second, with these rules. */
export async function startPrometheus(
  jobs: Readonly<Record<string, readonly string[]>>,
  rules: string,
): Promise<Prometheus> {
  const directory = mkdtempSync(join(tmpdir(), "sallyport-prometheus-"));
  const [port = 0] = await freePorts(1);
  const configuration = {
    global: { scrape_interval: "1s", evaluation_interval: "1s" },
    rule_files: [rules],
    scrape_configs: Object.entries(jobs).map(([job_name, targets]) => ({ job_name, static_configs: [{ targets }] })),
  };
  const file = join(directory, "prometheus.yml");
  writeFileSync(file, stringify(configuration));
  const child: Child = startChild("prometheus", [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(directory, "data")}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ]);
  const close = async (): Promise<void> => {
    await child.stop();
    rmSync(directory, { recursive: true, force: true });
  };
  const api = async <T>(path: string): Promise<T> =>
    (await fetch(`http://127.0.0.1:${port}/api/v1/${path}`)).json() as Promise<T>;
  const ready = () =>
    fetch(`http://127.0.0.1:${port}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  try {
    await waitUntil("prometheus", ready, 60_000, child);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    async query(expression) {
      const answer = await api<QueryAnswer>(`query?${new URLSearchParams({ query: expression })}`);
      return answer.status === "success" ? { series: answer.data.result.length } : { error: answer.error };
    },
    async rules() {
      const { data } = await api<RulesAnswer>("rules");
      const all = data.groups.flatMap((group) => group.rules);
      const problems = all.filter(({ health }) => health !== "ok");
      return {
        count: all.length,
        problems: problems.map(({ name, health, lastError }) => `${name}: ${lastError ?? health}`),
      };
    },
    close,
  };
}
