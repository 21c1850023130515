import { beforeAll, describe, expect, test } from "vitest";
import { type Authority, createAuthority, uri } from "../../src/cli/demo/pki.ts";
import { createPrincipalReader } from "../../src/server/principal.ts";
import { CHECKOUT } from "./harness.ts";

let mesh: Authority;
beforeAll(async () => {
  mesh = await createAuthority();
});

describe("the principal", () => {
  test("without a certificate is what Envoy says, whatever that is", () => {
    const read = createPrincipalReader();
    for (const principal of ["", CHECKOUT, "CN=x", "spiffe://other/x"])
      expect(read({ principal, certificate: "" })).toBe(principal);
  });

  test("with a certificate must be its one URI SAN", async () => {
    const read = createPrincipalReader();
    const certificate = encodeURIComponent((await mesh.issue([uri(CHECKOUT)])).cert);
    for (let round = 0; round < 2; round += 1) {
      expect(read({ principal: CHECKOUT, certificate })).toBe(CHECKOUT);
      expect(read({ principal: `${CHECKOUT}2`, certificate })).not.toMatch(/^spiffe:/);
      expect(read({ principal: "", certificate })).not.toBe("");
    }
  });

  test("a DNS SAN, a second URI, a NUL or no SAN is never taken for an identity", async () => {
    const read = createPrincipalReader();
    const forged = [
      [{ type: "dns", value: CHECKOUT } as const],
      [{ type: "dns", value: `x, URI:${CHECKOUT}` } as const],
      [{ type: "email", value: CHECKOUT } as const],
      [uri(CHECKOUT), uri("spiffe://cluster.local/ns/a/sa/b")],
      [uri(CHECKOUT), uri(CHECKOUT)],
      [uri(`${CHECKOUT}\0.evil`)],
      [],
    ];
    for (const sans of forged) {
      const certificate = encodeURIComponent((await mesh.issue(sans)).cert);
      expect(read({ principal: CHECKOUT, certificate }), JSON.stringify(sans)).not.toMatch(/^spiffe:/);
    }
  });

  test("a certificate that cannot be read is no certificate of this principal", () => {
    const read = createPrincipalReader();
    for (const certificate of ["x", "%", "%00", "-----BEGIN CERTIFICATE-----", "a".repeat(100_000)]) {
      expect(read({ principal: CHECKOUT, certificate })).not.toMatch(/^spiffe:/);
    }
  });
});
