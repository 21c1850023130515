import type { Target } from "./draft.ts";
import { kubernetesTarget } from "./kubernetes/target.ts";

/** All targets, as `--help` lists them. */
export const TARGETS: readonly Target[] = [kubernetesTarget];
