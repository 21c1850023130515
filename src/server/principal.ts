import { X509Certificate } from "node:crypto";
import { LRUCache } from "lru-cache";
import { singleUriSan } from "./uri-san.ts";

/** Certificates remembered by their text. */
const MAX_BYTES = 4 * 1024 * 1024;
/** Longer texts are not certificates of workloads. */
const MAX_TEXT = 64 * 1024;

/** Reads who asks from the connection's peer: never from a header. */
export type PrincipalReader = (source: { readonly principal: string; readonly certificate: string }) => string;

/**
 * The principal as Envoy gave it, empty when there is none. Envoy falls back from the URI SAN to a DNS SAN and the
 * subject, and validates none of them; so when the certificate came along, its one URI SAN must be the principal. Else
 * the answer is a text that is no SPIFFE ID, for which the engine says `invalid-identity`.
 */
export function createPrincipalReader(): PrincipalReader {
  const known = new LRUCache<string, { readonly uri: string | null }>({ maxSize: MAX_BYTES });
  return ({ principal, certificate: text }) => {
    if (text === "") return principal;
    let read = known.get(text);
    if (read === undefined) {
      read = { uri: certificateUri(text) };
      known.set(text, read, { size: text.length * 2 + 512 });
    }
    return read.uri !== null && read.uri === principal ? principal : `not the certificate's URI SAN: ${principal}`;
  };
}

function certificateUri(urlEncodedPem: string): string | null {
  if (urlEncodedPem.length > MAX_TEXT) return null;
  try {
    return singleUriSan(new X509Certificate(decodeURIComponent(urlEncodedPem)));
  } catch {
    return null;
  }
}
