import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const HEAD = "apiVersion: sallyport.dev/v1alpha1\n";

/** The one gateway, and two services that everybody may be allowed. */
export const ROOT = `${HEAD}kind: EgressGateway
metadata: {name: egress, namespace: istio-egress}
spec: {selector: {istio: egressgateway}}
---
${HEAD}kind: ExternalService
metadata: {name: stripe}
spec: {hosts: [api.stripe.com], ports: [{number: 80, protocol: HTTP}]}
---
${HEAD}kind: ExternalService
metadata: {name: github}
spec: {hosts: [api.github.com], ports: [{number: 80, protocol: HTTP}]}
`;

/** A policy that lets one service account of a namespace reach one service. */
export function allow(namespace: string, account: string, service: string): string {
  return `${HEAD}kind: EgressPolicy
metadata: {name: ${service}, namespace: ${namespace}}
spec:
  owner: ${namespace}-team@example.com
  rules:
  - name: use
    from: [{serviceAccount: ${namespace}/${account}}]
    to: [{service: ${service}}]
`;
}

/** A policy directory of a test's own. */
export interface PolicyDirectory {
  readonly path: string;
  /** Writes a file as an editor that saves whole files does. */
  put(file: string, text: string): void;
  drop(file: string): void;
  remove(): void;
}

export function createPolicyDirectory(files: Readonly<Record<string, string>>): PolicyDirectory {
  const path = mkdtempSync(join(tmpdir(), "sallyport-policies-"));
  const put = (file: string, text: string) => {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    writeFileSync(join(path, `.${file.replaceAll("/", "_")}.tmp`), text);
    renameSync(join(path, `.${file.replaceAll("/", "_")}.tmp`), join(path, file));
  };
  for (const [file, text] of Object.entries(files)) put(file, text);
  return {
    path,
    put,
    drop: (file) => rmSync(join(path, file)),
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** Mounts a version of a ConfigMap as the kubelet does: a hidden directory, then an atomic swap of `..data`. Of names with directories the first one is linked. */
export function mountConfigMap(at: string, version: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    const file = join(at, `..${version}`, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  symlinkSync(`..${version}`, join(at, "..data_tmp"));
  renameSync(join(at, "..data_tmp"), join(at, "..data"));
  for (const name of new Set(Object.keys(files).map((each) => each.split("/", 1)[0] ?? ""))) {
    rmSync(join(at, name), { force: true });
    symlinkSync(join("..data", name), join(at, name));
  }
}
