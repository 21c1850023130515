import { createAsmTarget } from "./asm/target.ts";
import type { Target } from "./draft.ts";
import { envoyTarget } from "./envoy/target.ts";
import { createGatewayApiTarget } from "./gateway-api/target.ts";
import { istioTarget } from "./istio/target.ts";
import { kubernetesTarget } from "./kubernetes/target.ts";

/** All targets, as `--help` lists them. */
export const TARGETS: readonly Target[] = [
  istioTarget,
  kubernetesTarget,
  envoyTarget,
  createAsmTarget(istioTarget),
  createGatewayApiTarget(istioTarget),
];
