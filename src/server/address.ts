import { type AddressInfo, isIP } from "node:net";
import ipaddr from "ipaddr.js";

/** Where to listen: a Unix socket or an IP address and port. Host names are not accepted: what they mean can change. */
export type ListenAddress =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number };

/** Parses `unix:/path`, `127.0.0.1:9191`, `[::1]:9191` or `localhost:9191` (which means 127.0.0.1); null for anything else. */
export function parseListenAddress(text: string): ListenAddress | null {
  if (text.startsWith("unix:")) {
    const path = text.slice("unix:".length);
    return path === "" || path.includes("\0")
      ? null
      : { kind: "unix", path: path.startsWith("///") ? path.slice(2) : path };
  }
  const [, name = "", digits = ""] = /^(\[[0-9A-Fa-f:.]+\]|[0-9.]+|localhost):(0|[1-9][0-9]{0,4})$/.exec(text) ?? [];
  const host = name === "localhost" ? "127.0.0.1" : name.replace(/^\[|\]$/g, "");
  const port = Number(digits);
  return isIP(host) === 0 || port > 65_535 ? null : { kind: "tcp", host, port };
}

/** Whether nobody outside this machine can connect. */
export function isLocal(address: ListenAddress): boolean {
  return address.kind === "unix" || ipaddr.process(address.host).range() === "loopback";
}

/** The way an address is written. */
export function formatListenAddress(address: ListenAddress): string {
  if (address.kind === "unix") return `unix:${address.path}`;
  return isIP(address.host) === 6 ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/** The address with the port that was really taken, from what the open server says of itself. */
export function boundAddress(bound: AddressInfo | string | null, address: ListenAddress): ListenAddress {
  return bound !== null && typeof bound === "object" && address.kind === "tcp"
    ? { ...address, port: bound.port }
    : address;
}
