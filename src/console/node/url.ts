/** What the policy room takes from `node:url`, for a browser: a host's ASCII form by the same WHATWG rules; empty when it has none. */
export function domainToASCII(domain: string): string {
  try {
    return new URL(`ws://${domain}`).hostname;
  } catch {
    return "";
  }
}
