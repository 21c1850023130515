import type { Target } from "./draft.ts";
import { envoyTarget } from "./envoy/target.ts";
import { kubernetesTarget } from "./kubernetes/target.ts";

/** All targets, as `--help` lists them. */
export const TARGETS: readonly Target[] = [envoyTarget, kubernetesTarget];
