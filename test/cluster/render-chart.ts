import { readdirSync } from "node:fs";
import { join } from "node:path";
import { REPOSITORY } from "../cli/run-cli.ts";
import { run } from "./run.ts";

export const CHART = join(REPOSITORY, "deploy/chart");
export const MANIFESTS = join(REPOSITORY, "deploy/manifests");
const NAMESPACE = "sallyport-system";

/** Names of the chart's sets of values; each is rendered to a file of deploy/manifests. */
export function valuesSets(): readonly string[] {
  return readdirSync(join(CHART, "ci"))
    .map((name) => name.replace(/-values\.yaml$/, ""))
    .sort();
}

export function valuesFile(name: string): string {
  return join(CHART, "ci", `${name}-values.yaml`);
}

/** What Helm makes of a set of values, under a line that says of what. @throws what Helm said */
export async function renderChart(helm: string, name: string): Promise<string> {
  const values = ["--values", valuesFile(name)];
  const { code, stdout, stderr } = await run(helm, [
    "template",
    "sallyport",
    CHART,
    "--namespace",
    NAMESPACE,
    ...values,
  ]);
  if (code !== 0) throw new Error(stderr);
  return `# Made by \`npm run manifests\` from deploy/chart with deploy/chart/ci/${name}-values.yaml. For namespace ${NAMESPACE}.\n${stdout}`;
}
