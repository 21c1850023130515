import { LIMITS } from "./limits.ts";

/** Says why the canonicaliser refused a host, and what was meant where that is plain. */
export function whyRefused(host: string): { readonly why: string; readonly fix: string | null } {
  const only = (why: string, fix: string | null = null) => ({ why, fix });
  if (/^[0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f:.]*$/i.test(host)) {
    return only("an IPv6 address stands in brackets", `"[${host}]"`);
  }
  if (host.includes("%")) return only("a `%` is neither decoded nor a zone");
  if (/[^\x20-\x7e]/.test(host)) return only("it holds characters that no name can have");
  if (/\s/.test(host)) return only("it holds a space");
  if (host.length > LIMITS.hostBytes) return only(`it is longer than ${LIMITS.hostBytes} bytes`);
  const labels = host.replace(/\.$/, "").split(".");
  if (labels.includes("")) return only("a label is empty");
  if (/^(\d+|0x[0-9a-f]*)$/i.test(labels.at(-1) ?? "")) {
    return only("a name that ends in a number spells an address, and addresses are written as four plain decimals");
  }
  if (labels.some((label) => label.length > 63)) return only("a label is longer than 63 bytes");
  if (labels.some((label) => label.startsWith("-") || label.endsWith("-"))) {
    return only("a label begins or ends with `-`");
  }
  if (labels.slice(-2).some((label) => label.includes("_"))) {
    return only("`_` is allowed except in the last two labels");
  }
  return only("");
}
