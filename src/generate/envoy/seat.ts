import { extension } from "../envoy-parts/typed.ts";
import { AUTHORIZER, BUNDLES } from "./clusters.ts";
import type { GatewaySeat } from "./settings.ts";

/**
 * Decides each request in Envoy itself. The root id is the port that the listener's routes lead to. A trap refuses the request and
 * loads the filter anew; unset, it would leave the worker refusing for good.
 */
export function decideHere({ filter }: GatewaySeat, dialled: number): object {
  const settings = `bundle=${BUNDLES}\ncheck=${AUTHORIZER}\n`;
  return extension("sallyport", "extensions.filters.http.wasm.v3.Wasm", {
    config: {
      name: "sallyport",
      root_id: String(dialled),
      failure_policy: "FAIL_RELOAD",
      vm_config: {
        vm_id: "sallyport",
        runtime: "envoy.wasm.runtime.v8",
        code: { local: { filename: filter } },
      },
      configuration: { "@type": "type.googleapis.com/google.protobuf.StringValue", value: settings },
    },
  });
}
