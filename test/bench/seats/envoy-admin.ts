import { request } from "node:http";
import { text } from "node:stream/consumers";

/** Connections that an Envoy holds to a cluster now, over all its workers. */
export async function connectionsTo(cluster: string, adminSocket: string): Promise<number> {
  const name = `cluster.${cluster}.upstream_cx_active`;
  const stats = await get(adminSocket, `/stats?filter=${encodeURIComponent(`^${name.replaceAll(".", "\\.")}$`)}`);
  const found = new RegExp(`${name}: (\\d+)`).exec(stats)?.[1];
  if (found === undefined) throw new Error(`Envoy tells no ${name}: ${stats.slice(0, 200)}`);
  return Number(found);
}

function get(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path }, (answer) => resolve(text(answer)))
      .on("error", reject)
      .end();
  });
}
