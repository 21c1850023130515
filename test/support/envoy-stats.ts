import { request } from "node:http";
import { text } from "node:stream/consumers";

/** Counters and gauges of an Envoy whose names the pattern (RE2) finds, by name. */
export async function envoyStats(adminSocket: string, pattern: string): Promise<Readonly<Record<string, number>>> {
  const path = `/stats?filter=${encodeURIComponent(pattern)}`;
  const page = await new Promise<string>((resolve, reject) => {
    request({ socketPath: adminSocket, path }, (answer) => resolve(text(answer)))
      .on("error", reject)
      .end();
  });
  return Object.fromEntries(
    [...page.matchAll(/^(\S+): (\d+)$/gm)].map(([, name = "", value]) => [name, Number(value)]),
  );
}
