import { join } from "node:path";
import { createGatewayApiTarget } from "../../src/generate/gateway-api/target.ts";
import { istioTarget } from "../../src/generate/istio/target.ts";
import type { Bench, Finding } from "./bench.ts";
import { writeGenerated } from "./files.ts";
import type { Identities } from "./identities.ts";
import type { MeshSet } from "./mesh-set.ts";
import { platform } from "./platform.ts";

/** Istio's code has no schemas for these kinds: the default tests check them against Gateway API's own. */
const FOREIGN = /Kind=(Gateway|HTTPRoute|TLSRoute|TCPRoute): no validator found/;

/** What Istio finds in the same set as Gateway API's routes and the Istio objects beside them. Its routes are not run here. */
export async function judgeGatewayApi(
  bench: Bench,
  mesh: MeshSet,
  { secrets }: Identities,
  directory: string,
): Promise<readonly Finding[]> {
  const yaml = join(directory, "gateway-api");
  const target = createGatewayApiTarget(istioTarget);
  await writeGenerated(target, mesh.set, platform(mesh.workloads, secrets), yaml);
  return (await bench.validate(yaml)).filter(({ message }) => !FOREIGN.test(message));
}
