import "./reflect-metadata.ts";
import * as x509 from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY_MS = 86_400_000;
x509.cryptoProvider.set(crypto);

/** A name in a certificate. */
export type San = { readonly type: "url" | "dns" | "email" | "ip"; readonly value: string };

/** A certificate and its key, as PEM. */
export interface Leaf {
  readonly cert: string;
  readonly key: string;
}

/** A throw-away certificate authority. */
export interface Authority {
  readonly cert: string;
  /** A leaf with these names in its subject alternative name, none for an empty list; valid for as long as the authority unless told otherwise. */
  issue(sans: readonly San[], span?: Span): Promise<Leaf>;
}

/** When a certificate is valid. */
interface Span {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** `url` for identities. */
export function uri(value: string): San {
  return { type: "url", value };
}

/** Makes an authority with a P-256 key, valid for so many days. For demonstrations and tests only. */
export async function createAuthority(name = "CN=test mesh", days = 1): Promise<Authority> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const ageMs = days * DAY_MS;
  const span = { notBefore: new Date(Date.now() - ageMs), notAfter: new Date(Date.now() + ageMs) };
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
    async issue(sans, valid = span) {
      const own = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
      serial += 1;
      const leaf = await x509.X509CertificateGenerator.create({
        serialNumber: serial.toString(16).padStart(4, "0"),
        subject: "CN=workload",
        issuer: root.subject,
        ...valid,
        signingAlgorithm: ALGORITHM,
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        extensions: [
          // Envoy's SPIFFE validator takes a leaf without key usage for one that may sign certificates.
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth, x509.ExtendedKeyUsage.serverAuth]),
          ...(sans.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension([...sans])]),
        ],
      });
      const key = x509.PemConverter.encode(await crypto.subtle.exportKey("pkcs8", own.privateKey), "PRIVATE KEY");
      return { cert: leaf.toString("pem"), key };
    },
  };
}

/** `dns` for servers outside. */
export function dns(value: string): San {
  return { type: "dns", value };
}
