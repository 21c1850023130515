import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { createAuthority, type Leaf, uri } from "../../src/cli/demo/pki.ts";
import { mountConfigMap } from "../server/policy-directory.ts";
import { type Manifest, requireManifest, serverOf } from "./manifests.ts";

/** A server's Pod as files of this machine. */
export interface PodFiles {
  /** What its container is started with. */
  readonly args: readonly string[];
  /** A gateway's certificate, by which the server lets itself be asked; and the roots of both. */
  readonly gateway: Leaf;
  readonly ca: string;
  readonly serverId: string;
}

/** Of the file names in a Secret, and of those that Istio's agent writes. */
const CERTIFICATES = [
  ["tls.crt", "tls.key", "ca.crt"],
  ["cert-chain.pem", "key.pem", "root-cert.pem"],
] as const;

/** Keys that sign, where the chart mounts them. */
const KEYS: Readonly<Record<string, () => KeyObject>> = {
  "/etc/sallyport/audit-key/key.pem": () => generateKeyPairSync("ed25519").privateKey,
  "/etc/sallyport/bundle-key/key.pem": () => generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey,
};

/**
 * Lays a rendered Pod's volumes out under a directory, as a kubelet would, with certificates made on the spot, and its configuration
 * with paths and ports of this machine. @throws when the configuration names a path that is not mounted, or not writable where it must be
 */
export async function layOutPod(
  objects: readonly Manifest[],
  directory: string,
  ports: { readonly grpc: number; readonly admin: number; readonly probes: number },
  policies: Readonly<Record<string, string>> | null = null,
): Promise<PodFiles> {
  const { name, namespace } = serverOf(objects).metadata;
  const { containers, volumes } = serverOf(objects).spec.template.spec;
  const [container] = containers;
  const mounts: readonly Manifest[] = container.volumeMounts;
  const mountOf = (path: string): Manifest => {
    const found = mounts.find(({ mountPath }) => path === mountPath || path.startsWith(`${mountPath}/`));
    assert.ok(found, `${path} is not mounted`);
    return found;
  };
  for (const { mountPath } of mounts) await mkdir(join(directory, mountPath), { recursive: true });

  const trustDomain = /^spiffe:\/\/([^/]+)/.exec(configOf(objects, name).allowedCallers[0])?.[1];
  const serverId = `spiffe://${trustDomain}/ns/${namespace}/sa/${name}`;
  const authority = await createAuthority();
  const own = await authority.issue([uri(serverId)]);
  const config = configOf(objects, name);
  const { certificate, key, clientCa } = config.tls;
  assert.ok(
    CERTIFICATES.some(
      (names) => names.join() === [certificate, key, clientCa].map((each) => each.split("/").at(-1)).join(),
    ),
  );
  await writeFile(join(directory, certificate), own.cert);
  await writeFile(join(directory, key), own.key);
  await writeFile(join(directory, clientCa), authority.cert);

  for (const [path, make] of Object.entries(KEYS)) {
    if (path === config.audit.key || path === config.bundle?.key) await writeFile(join(directory, path), pem(make()));
  }

  const projected = volumes.find((each: Manifest) => each.name === "policies").projected.sources;
  const files =
    policies ?? Object.fromEntries(projected.flatMap((source: Manifest) => projectedFiles(objects, source)));
  mountConfigMap(join(directory, config.policies), "v1", files);

  const writable = [config.state, ...config.audit.to.filter((each: string) => each.startsWith("/"))];
  for (const path of writable) assert.notEqual(mountOf(path).readOnly, true, `${path} cannot be written`);
  for (const path of [config.policies, certificate, key, clientCa])
    assert.equal(mountOf(path).readOnly, true, `${path} can be written`);

  const local = JSON.parse(JSON.stringify(config), (_, value) =>
    typeof value === "string" && value.startsWith("/") && mountOf(value) ? join(directory, value) : value,
  );
  const moved = {
    listen: [`127.0.0.1:${ports.grpc}`],
    admin: `127.0.0.1:${ports.admin}`,
    probes: `127.0.0.1:${ports.probes}`,
    drain: { wait: "0s" },
  };
  const args: readonly string[] = container.args.map((each: string) =>
    each.startsWith("/") ? join(directory, each) : each,
  );
  const configFile = args.at(-1) ?? "";
  assert.ok(mountOf(container.args.at(-1)), "the configuration is not mounted");
  await writeFile(configFile, stringify({ ...local, ...moved }));
  return { args, gateway: await authority.issue([uri(config.allowedCallers[0])]), ca: authority.cert, serverId };
}

/** The server's configuration as it is rendered. */
export function configOf(objects: readonly Manifest[], name = "sallyport"): Manifest {
  return parse(requireManifest(objects, ["ConfigMap"], `${name}-config`).data["sallyport.config.yaml"]);
}

function pem(key: KeyObject): string | Buffer {
  return key.export({ type: "pkcs8", format: "pem" });
}

function projectedFiles(objects: readonly Manifest[], { configMap }: Manifest): readonly (readonly [string, string])[] {
  const { data } = requireManifest(objects, ["ConfigMap"], configMap.name);
  const items: readonly Manifest[] = configMap.items;
  assert.deepEqual(items.map(({ key }) => key).sort(), Object.keys(data).sort());
  return items.map(({ key, path }) => [path, data[key]]);
}
