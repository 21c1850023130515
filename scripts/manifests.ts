/** Renders deploy/manifests from deploy/chart with a real Helm, built from its Go module if need be. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MANIFESTS, renderChart, valuesSets } from "../test/cluster/render-chart.ts";
import { openTools } from "../test/cluster/tools.ts";

const tools = openTools((step) => console.log(`manifests: ${step}`));
if (typeof tools === "string") throw new Error(tools);
rmSync(MANIFESTS, { recursive: true, force: true });
mkdirSync(MANIFESTS, { recursive: true });
for (const name of valuesSets()) writeFileSync(join(MANIFESTS, `${name}.yaml`), await renderChart(tools.helm, name));
