import { expect, it } from "vitest";
import { generate, patchesOf, smallSet } from "./istio-objects.ts";

const SHOP = "[{name: use, from: [{serviceAccount: shop/reader}], to: [{service: x}]}]";
const BOTH =
  "{hosts: [a.example.com], ports: [{number: 80, protocol: HTTP}, {number: 443, protocol: TLS}], tls: {originate: gateway, port: 443}}";

it("seat: gateway beside ext_authz, where one of them may be missing: the filter takes its place in one patch, port by port", () => {
  const GATEWAY =
    "{selector: {istio: egressgateway}, authorizer: {service: sallyport.sallyport-system}, seat: gateway, filter: {file: /f.wasm}}";
  const patches = patchesOf(generate(smallSet({ x: BOTH }, SHOP, GATEWAY)));
  const placed = patches.filter(({ patch }) => patch.value?.name === "sallyport");
  expect(placed.map(({ match, patch }) => [patch.operation, match.listener.portNumber])).toEqual([["REPLACE", 16129]]);
  expect(placed[0].match.listener.filterChain.filter.subFilter.name).toBe("envoy.filters.http.ext_authz");
  expect(placed[0].patch.value.typed_config.config).toMatchObject({ root_id: "80", failure_policy: "FAIL_RELOAD" });
  const asked = patches.filter(({ patch }) => patch.value?.name === "envoy.filters.network.ext_authz");
  expect(asked.length).toBeGreaterThan(0);
  const without = patchesOf(generate(smallSet({ x: BOTH }, SHOP)));
  expect(JSON.stringify(without)).not.toContain("wasm");
});
