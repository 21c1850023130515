import { createPrivateKey, X509Certificate } from "node:crypto";
import { singleUriSan } from "../uri-san.ts";
import { type TlsMaterial, tlsMaterial } from "./tls-material.ts";

/** An identity as the Workload API gives it (protos/spiffe/workload/workload.proto). */
export interface X509Svid {
  readonly spiffe_id: string;
  readonly x509_svid: Uint8Array;
  readonly x509_svid_key: Uint8Array;
  readonly bundle: Uint8Array;
}

/**
 * Material of an identity: callers' roots are those of its own trust domain.
 * @throws when its parts do not belong together, or it has ended
 * @see SPIFFE X509-SVID §4, Workload API §5.2
 */
export function svidMaterial(svid: X509Svid, nowMs: number): TlsMaterial {
  const chain = certificates(svid.x509_svid);
  const roots = certificates(svid.bundle);
  const [leaf] = chain;
  if (leaf === undefined) throw new Error(`${svid.spiffe_id} comes without a certificate`);
  if (roots.length === 0) throw new Error(`${svid.spiffe_id} comes without roots of its trust domain`);
  if (singleUriSan(leaf) !== svid.spiffe_id) {
    throw new Error(`${svid.spiffe_id} comes with a certificate for ${leaf.subjectAltName ?? "nobody"}`);
  }
  const key = createPrivateKey({ key: Buffer.from(svid.x509_svid_key), format: "der", type: "pkcs8" });
  if (leaf.validToDate.getTime() <= nowMs) throw new Error(`${svid.spiffe_id} has ended on ${leaf.validTo}`);
  return tlsMaterial({
    cert: pem(chain),
    key: key.export({ format: "pem", type: "pkcs8" }),
    ca: pem(roots),
  });
}

/** Certificates that stand one after the other. */
function certificates(der: Uint8Array): X509Certificate[] {
  const found: X509Certificate[] = [];
  for (let rest = Buffer.from(der); rest.length > 0; ) {
    const next = new X509Certificate(rest);
    found.push(next);
    rest = rest.subarray(next.raw.length);
  }
  return found;
}

function pem(chain: readonly X509Certificate[]): string {
  return chain.map((each) => each.toString()).join("");
}
