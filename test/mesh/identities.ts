import { join } from "node:path";
import { type Authority, createAuthority, dns, type Leaf, uri } from "../../src/cli/demo/pki.ts";
import type { Workload } from "../support/reach.ts";
import { writeText } from "./files.ts";

/** Certificates of a set's mesh and of the outside. */
export interface Identities {
  readonly mesh: Authority;
  readonly outside: Authority;
  readonly meshCa: string;
  readonly outsideCa: string;
  readonly outsideLeaf: Leaf;
  leaf(workload: Workload): Promise<Leaf>;
  /** The same as a secret for `translate`. */
  secret(workload: Workload): Promise<string>;
  readonly server: { readonly certificate: string; readonly key: string };
  /** Secrets of the gateway's namespace that services name. */
  readonly secrets: readonly object[];
}

export function spiffeId({ namespace, serviceAccount }: Workload): string {
  return `spiffe://cluster.local/ns/${namespace}/sa/${serviceAccount}`;
}

const SERVER: Workload = { namespace: "sallyport-system", serviceAccount: "sallyport" };
export const GATEWAY: Workload = { namespace: "istio-egress", serviceAccount: "egress" };

/** Makes them all. `certified` are the names that the outside can prove. */
export async function makeIdentities(directory: string, certified: readonly string[]): Promise<Identities> {
  const mesh = await createAuthority("CN=mesh");
  const outside = await createAuthority("CN=outside");
  const partner = await (await createAuthority("CN=partner")).issue([dns("partner-client")]);
  const leaves = new Map<string, Promise<Leaf>>();
  const leaf = (workload: Workload): Promise<Leaf> => {
    const id = spiffeId(workload);
    const known = leaves.get(id) ?? mesh.issue([uri(id)]);
    leaves.set(id, known);
    return known;
  };
  const pair = async (workload: Workload) => {
    const { cert, key } = await leaf(workload);
    const base = join(directory, `${workload.namespace}-${workload.serviceAccount}`);
    return { certificate: await writeText(`${base}.crt`, cert), key: await writeText(`${base}.key`, key) };
  };
  const secret = (name: string, stringData: object): object => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace: GATEWAY.namespace },
    stringData,
  });
  return {
    mesh,
    outside,
    meshCa: await writeText(join(directory, "mesh-ca.crt"), mesh.cert),
    outsideCa: await writeText(join(directory, "outside-ca.crt"), outside.cert),
    outsideLeaf: await outside.issue(certified.map(dns)),
    leaf,
    async secret(workload) {
      const { certificate, key } = await pair(workload);
      return `cert:${certificate},key:${key}`;
    },
    server: await pair(SERVER),
    secrets: [
      secret("partner-client", { "tls.crt": partner.cert, "tls.key": partner.key, "ca.crt": outside.cert }),
      secret("private-authority", { "ca.crt": outside.cert }),
    ],
  };
}
