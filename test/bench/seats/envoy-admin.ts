import { envoyStats } from "../../support/envoy-stats.ts";

/** Connections that an Envoy holds to a cluster now, over all its workers. */
export async function connectionsTo(cluster: string, adminSocket: string): Promise<number> {
  const name = `cluster.${cluster}.upstream_cx_active`;
  const found = (await envoyStats(adminSocket, `^${name.replaceAll(".", "\\.")}$`))[name];
  if (found === undefined) throw new Error(`Envoy tells no ${name}`);
  return found;
}
