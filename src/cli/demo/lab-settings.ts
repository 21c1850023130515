import { join } from "node:path";
import type { EnvoySettings } from "../../generate/envoy/settings.ts";
import { GUARDED_RANGES } from "../../generate/public-addresses.ts";

/** The outside of a lab answers here, the one address of loopback that its gateway may dial. */
const OUTSIDE = "127.0.0.1";

/** Settings of a gateway whose outside is on loopback. */
export function labSettings(
  fields: Omit<
    EnvoySettings,
    "listenAddress" | "maxConnections" | "credentials" | "guardedRanges" | "adminSocket" | "accessLog"
  > & {
    readonly directory: string;
  },
): EnvoySettings {
  const { directory, ...settings } = fields;
  return {
    ...settings,
    listenAddress: "127.0.0.1",
    maxConnections: 10_000,
    credentials: join(directory, "credentials"),
    guardedRanges: GUARDED_RANGES.flatMap((range) => (range === "127.0.0.0/8" ? allButOutside() : [range])),
    adminSocket: join(directory, "envoy-admin.sock"),
    accessLog: join(directory, "access.jsonl"),
  };
}

/** 127.0.0.0/8 without the address of the outside: at each length of prefix, the half in which that is not. */
function allButOutside(): readonly string[] {
  const outside = OUTSIDE.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  return Array.from({ length: 24 }, (_, i) => 9 + i).map((length) => {
    const size = 2 ** (32 - length);
    const half = Math.floor(outside / size) ^ 1;
    const start = half * size;
    return `${[24, 16, 8, 0].map((shift) => Math.floor(start / 2 ** shift) % 256).join(".")}/${length}`;
  });
}
