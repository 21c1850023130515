import "./reflect-metadata.ts";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as x509 from "@peculiar/x509";
import type { TlsFiles } from "../../src/server/tls-files.ts";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
x509.cryptoProvider.set(crypto);

/** A name in a certificate: `type` is `url` or `dns`. */
export type San = { readonly type: "url" | "dns" | "email"; readonly value: string };

export interface Leaf {
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority that lives as long as the test. */
export interface Authority {
  readonly cert: string;
  issue(sans: readonly San[]): Promise<Leaf>;
}

/** `url` for identities. */
export function uri(value: string): San {
  return { type: "url", value };
}

export async function createAuthority(name = "CN=test mesh"): Promise<Authority> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const span = { notBefore: new Date(Date.now() - 3_600_000), notAfter: new Date(Date.now() + 86_400_000) };
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    name,
    keys,
    ...span,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 1, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  let serial = 1;
  return {
    cert: root.toString("pem"),
    async issue(sans) {
      const own = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
      serial += 1;
      const leaf = await x509.X509CertificateGenerator.create({
        serialNumber: serial.toString(16).padStart(4, "0"),
        subject: "CN=workload",
        issuer: root.subject,
        ...span,
        signingAlgorithm: ALGORITHM,
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        extensions: sans.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension([...sans])],
      });
      const key = x509.PemConverter.encode(await crypto.subtle.exportKey("pkcs8", own.privateKey), "PRIVATE KEY");
      return { cert: leaf.toString("pem"), key };
    },
  };
}

/** Writes a listener's files into a directory of their own. */
export function writeTlsFiles(
  server: Leaf,
  clientCa: string,
): TlsFiles & { write(next: Leaf, ca: string): void; remove(): void } {
  const directory = mkdtempSync(join(tmpdir(), "sallyport-tls-"));
  const files = {
    certificate: join(directory, "tls.crt"),
    key: join(directory, "tls.key"),
    clientCa: join(directory, "ca.crt"),
  };
  const write = (next: Leaf, ca: string) => {
    writeFileSync(files.certificate, next.cert);
    writeFileSync(files.key, next.key);
    writeFileSync(files.clientCa, ca);
  };
  write(server, clientCa);
  return { ...files, write, remove: () => rmSync(directory, { recursive: true, force: true }) };
}
