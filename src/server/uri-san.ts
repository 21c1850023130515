import type { X509Certificate } from "node:crypto";

/** `TYPE:` and then either a quoted JSON string or text without quotes, commas and backslashes. */
const ENTRY = /(DNS|URI|email|IP Address|DirName|Registered ID|othername):("(?:[^"\\]|\\.)*"|[^",\\]*)(?:, |$)/y;

/**
 * The URI subject alternative names of a certificate, or null when they cannot be told apart with certainty. A DNS name
 * that spells `spiffe://…` is not one, whatever commas, quotes or control bytes it holds: Node quotes such names.
 */
function uriSans(certificate: X509Certificate): readonly string[] | null {
  const text = certificate.subjectAltName;
  if (text === undefined) return [];
  const uris: string[] = [];
  ENTRY.lastIndex = 0;
  while (ENTRY.lastIndex < text.length) {
    const match = ENTRY.exec(text);
    const [, type, value] = match ?? [];
    if (type === undefined || value === undefined) return null;
    // A quoted URI holds characters that no SPIFFE ID has.
    if (type === "URI" && value.startsWith('"')) return null;
    if (type === "URI") uris.push(value);
  }
  return uris;
}

/** The certificate's one URI subject alternative name, or null when it has none, several, or cannot be read. */
export function singleUriSan(certificate: X509Certificate): string | null {
  const uris = uriSans(certificate);
  return uris?.length === 1 ? (uris[0] ?? null) : null;
}
