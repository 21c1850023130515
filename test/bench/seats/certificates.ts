import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Caller } from "../../../src/cli/demo/client.ts";
import { createAuthority, dns, type Leaf, type San, uri } from "../../../src/cli/demo/pki.ts";

/** Files of a certificate and its key, and what is in them. */
export interface Identity {
  readonly certificate: string;
  readonly key: string;
  readonly caller: Caller;
}

/** A throw-away mesh's certificates. */
export interface Certificates {
  readonly ca: string;
  /** Also proves `localhost`, the one name that load generators can be told to verify here. */
  readonly gateway: Identity;
  readonly server: Identity;
  workload(spiffeId: string): Promise<Identity>;
  /** Of a server outside with these names. */
  outside(hosts: readonly string[]): Promise<Identity>;
}

export const GATEWAY_ID = "spiffe://cluster.local/ns/istio-egress/sa/egress";
export const SERVER_ID = "spiffe://cluster.local/ns/sallyport-system/sa/sallyport";

/** Writes them below the directory; workloads' when they are first asked for. */
export async function makeCertificates(directory: string): Promise<Certificates> {
  const at = join(directory, "certificates");
  await mkdir(at, { mode: 0o700 });
  const authority = await createAuthority("CN=mesh");
  const put = async (name: string, text: string): Promise<string> => {
    const file = join(at, name);
    await writeFile(file, text, { mode: 0o600 });
    return file;
  };
  const written = async (name: string, leaf: Leaf): Promise<Identity> => ({
    certificate: await put(`${name}.crt`, leaf.cert),
    key: await put(`${name}.key`, leaf.key),
    caller: { leaf, ca: authority.cert },
  });
  const issue = async (name: string, sans: readonly San[]) => written(name, await authority.issue(sans));
  const workloads = new Map<string, Promise<Identity>>();
  return {
    ca: await put("ca.crt", authority.cert),
    gateway: await issue("gateway", [uri(GATEWAY_ID), dns("localhost")]),
    server: await issue("server", [uri(SERVER_ID)]),
    outside: (hosts) => issue("outside", hosts.map(dns)),
    workload(spiffeId) {
      const known = workloads.get(spiffeId) ?? issue(`workload-${workloads.size}`, [uri(spiffeId)]);
      workloads.set(spiffeId, known);
      return known;
    },
  };
}
