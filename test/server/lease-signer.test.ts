import { generateKeyPairSync, type KeyObject, verify } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createLeaseSigner, readLeaseSigner } from "../../src/server/gateway/lease-signer.ts";

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "sallyport-signer-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

function pemOf(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

it("signs every field of what a gateway is given", () => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const statement = {
    nonce: "ab".repeat(16),
    revision: "sha256:00",
    generation: 7,
    leaseMs: 5_000,
    recorded: "x-a,x-b",
  };
  const signature = Buffer.from(createLeaseSigner(pemOf(privateKey))(statement), "hex");
  const text = `sallyport.lease/v1\n${"ab".repeat(16)}\nsha256:00\n7\n5000\nx-a,x-b\n`;
  expect(verify("sha256", Buffer.from(text), publicKey, signature)).toBe(true);
  expect(verify("sha256", Buffer.from(text.replace("\n7\n", "\n8\n")), publicKey, signature)).toBe(false);
});

it.each([
  [
    "a key of RSA",
    () => pemOf(generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey),
    "of type rsa, not P-256",
  ],
  ["a key of Ed25519", () => pemOf(generateKeyPairSync("ed25519").privateKey), "of type ed25519, not P-256"],
  [
    "another curve",
    () => pemOf(generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey),
    "of type secp384r1, not",
  ],
  ["no key", () => "nothing", "openssl genpkey -algorithm EC"],
])("refuses %s, and says how to make one", async (_name, pem, message) => {
  const file = join(directory, "bundle.key");
  writeFileSync(file, pem());
  await expect(readLeaseSigner(file)).rejects.toThrow(message);
});

it("names a file that is not there", async () => {
  await expect(readLeaseSigner(join(directory, "none.key"))).rejects.toThrow("none.key cannot be used");
});
