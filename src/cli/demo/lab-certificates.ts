import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { PolicySet } from "../../policy/model.ts";
import { type Authority, dns, type Leaf, uri } from "./pki.ts";

/** Who a lab's server and gateway are. */
export const SERVER_ID = "spiffe://cluster.local/ns/sallyport-system/sa/sallyport";
export const GATEWAY_ID = "spiffe://cluster.local/ns/istio-egress/sa/egress";

/** Who signs in a lab. */
export interface LabAuthorities {
  readonly mesh: Authority;
  readonly partner: Authority;
  readonly rogue: Authority;
  readonly outside: Authority;
}

/** What is not as in any other lab. */
export interface CertificateOptions {
  /** Hosts that the outside has no certificate for. */
  readonly uncertified?: readonly string[];
  /** Files of the gateway's `credentials` directory. */
  readonly secrets?: (authorities: LabAuthorities) => Promise<Readonly<Record<string, string>>>;
}

/** Files of a lab's certificates. */
interface CertificateFiles {
  readonly meshCa: string;
  readonly outsideCa: string;
  readonly outsideLeaf: Leaf;
  readonly server: { readonly certificate: string; readonly key: string };
  readonly gateway: { readonly certificate: string; readonly key: string };
  readonly trustBundles: Readonly<Record<string, string>>;
}

/** Issues and writes them. */
export async function writeCertificates(
  directory: string,
  set: PolicySet,
  authorities: LabAuthorities,
  { uncertified = [], secrets = async () => ({}) }: CertificateOptions,
): Promise<CertificateFiles> {
  const at = join(directory, "certificates");
  await mkdir(at, { mode: 0o700 });
  const put = async (name: string, text: string): Promise<string> => {
    const file = join(at, name);
    await writeFile(file, text, { mode: 0o600 });
    return file;
  };
  const pair = async (name: string, leaf: Leaf) => ({
    certificate: await put(`${name}.crt`, leaf.cert),
    key: await put(`${name}.key`, leaf.key),
  });
  const meshCa = await put("mesh-ca.crt", authorities.mesh.cert);
  const partnerCa = await put("partner-ca.crt", authorities.partner.cert);
  const bundles = Object.fromEntries([
    ...set.gateway.trustDomains.map((domain) => [domain, meshCa]),
    ...set.gateway.federatedTrustDomains.map((domain) => [domain, partnerCa]),
  ]);
  const hosts = [...new Set(set.services.flatMap((service) => service.hosts))].filter(
    (host) => !uncertified.includes(host),
  );
  for (const [name, text] of Object.entries(await secrets(authorities))) {
    const file = join(directory, "credentials", name);
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(file, text, { mode: 0o600 });
  }
  return {
    meshCa,
    outsideCa: await put("outside-ca.crt", authorities.outside.cert),
    outsideLeaf: await authorities.outside.issue(hosts.filter((host) => !/[[\]]|^[\d.]+$/.test(host)).map(dns)),
    server: await pair("server", await authorities.mesh.issue([uri(SERVER_ID)])),
    gateway: await pair("gateway", await authorities.mesh.issue([uri(GATEWAY_ID)])),
    trustBundles: bundles,
  };
}
