/**
 * `npm run test:cluster [NAME...]`: what Kubernetes is given, judged by a real kube-apiserver, kubectl and Helm.
 * Exit codes: 0 all as it should be, 1 not, 3 no Go, no etcd or no sources of Kubernetes.
 */
import type { Check } from "./check.ts";
import { chart } from "./checks/chart.ts";
import { customResources } from "./checks/custom-resources.ts";
import { docs } from "./checks/docs.ts";
import { generated } from "./checks/generated.ts";
import { image } from "./checks/image.ts";
import { judging } from "./checks/judging.ts";
import { policiesFromCluster } from "./checks/policies-from-cluster.ts";
import { startCluster } from "./cluster.ts";
import { openTools } from "./tools.ts";

const CHECKS: readonly Check[] = [
  ...judging,
  ...generated,
  ...chart,
  ...image,
  ...customResources,
  ...policiesFromCluster,
  ...docs,
];

const say = (text: string): void => void process.stdout.write(`${text}\n`);

const tools = openTools((step) => say(`cluster: ${step}`));
if (typeof tools === "string") {
  say(`cluster: skipped, ${tools}`);
  process.exit(3);
}
const wanted = process.argv.slice(2);
const checks = wanted.length === 0 ? CHECKS : CHECKS.filter(({ name }) => wanted.includes(name));
for (const name of wanted) if (!CHECKS.some((each) => each.name === name)) throw new Error(`no check named ${name}`);
const cluster = await startCluster(tools);
let failed = 0;
try {
  for (const { name, run } of checks) {
    try {
      say(`ok   ${name}: ${await run(cluster, tools)}`);
    } catch (error) {
      failed += 1;
      say(`FAIL ${name}: ${error instanceof Error ? error.message : error}`);
    }
  }
} finally {
  await cluster.close();
}
say(`cluster: ${checks.length} checks, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
