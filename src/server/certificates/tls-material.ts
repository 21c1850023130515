import { createHash, X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContextOptions } from "node:tls";

/** PEM texts of a listener: its chain, the chain's key, and the roots that sign the callers' certificates. */
export interface TlsTexts {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
  readonly ca: string | Buffer;
}

/** What a TLS server is given. */
export interface TlsMaterial {
  readonly options: SecureContextOptions;
  /** Tells it from other material. */
  readonly digest: string;
  /** When the server's own certificate ends. */
  readonly notAfterMs: number;
}

/** Makes sure that the texts fit together. @throws when they do not */
export function tlsMaterial({ cert, key, ca }: TlsTexts): TlsMaterial {
  const options: SecureContextOptions = { cert, key, ca, minVersion: "TLSv1.2" };
  createSecureContext(options);
  const digest = createHash("sha256").update(cert).update("\0").update(key).update("\0").update(ca).digest("hex");
  return { options, digest, notAfterMs: new X509Certificate(cert).validToDate.getTime() };
}
