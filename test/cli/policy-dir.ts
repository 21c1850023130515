import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";

/** Writes files into a new directory that is removed when the test ends. Returns its path. */
export async function temporaryDirectory(files: Readonly<Record<string, string>>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "sallyport-cli-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
}

/** A small valid set: one service, one allow, one deny. */
export const SMALL_SET: Readonly<Record<string, string>> = {
  "gateway.yaml": `apiVersion: sallyport.dev/v1alpha1
kind: EgressGateway
metadata: {name: egress, namespace: istio-egress}
spec: {fallback: deny}
`,
  "policies.yaml": `apiVersion: sallyport.dev/v1alpha1
kind: ExternalService
metadata: {name: vendor}
spec:
  hosts: [api.vendor.example.com]
  ports:
  - {number: 80, protocol: HTTP}
  - {number: 443, protocol: TLS}
---
apiVersion: sallyport.dev/v1alpha1
kind: EgressPolicy
metadata: {name: small, namespace: istio-egress}
spec:
  owner: team@example.com
  rules:
  - name: read
    from: [{namespace: shop}]
    to: [{service: vendor, ports: [80], methods: [GET], headers: {x-team: [a, b]}}]
    expires: 2027-01-01T00:00:00Z
    ticket: SEC-1
    reason: prices
  - name: chat
    from: [{serviceAccount: shop/chat}]
    to: [{service: vendor, ports: [80]}]
    upgrades: [websocket]
  - name: never
    effect: deny
    from: [{namespace: shop}]
    to: [{service: vendor, ports: [80], paths: [/admin]}]
    reason: administration is done elsewhere
`,
};
