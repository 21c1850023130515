import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseAllDocuments } from "yaml";
import { REPOSITORY } from "../cli/run-cli.ts";
import type { Cluster } from "./cluster.ts";

const ROOT = "istio-egress";

/** A policy as an object of a cluster. */
export interface Policy {
  readonly kind: string;
  readonly metadata: Readonly<Record<string, unknown>> & { readonly name: string; readonly namespace: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

/** Adds the custom resources to a cluster and waits until it knows them. */
export async function establishResources(cluster: Cluster): Promise<void> {
  const crds = await cluster.kubectl(["apply", "--server-side", `--filename=${join(REPOSITORY, "deploy/crds")}`]);
  assert.equal(crds.code, 0, crds.stderr);
  const names = ["egressgateways", "externalservices", "identitygroups", "egresspolicies"];
  const each = names.map((name) => `crd/${name}.sallyport.dev`);
  const established = await cluster.kubectl(["wait", "--for=condition=Established", ...each, "--timeout=60s"]);
  assert.equal(established.code, 0, established.stderr);
}

/** The shipped policies as objects: what lies at the top is the gateway's namespace's. */
export async function shippedPolicies(): Promise<readonly Policy[]> {
  const directory = join(REPOSITORY, "policies");
  const paths = (await readdir(directory, { recursive: true }))
    .filter((each) => /(?<!\.test)\.yaml$/.test(each))
    .sort();
  const all = await Promise.all(
    paths.map(async (path) => {
      const place = dirname(path) === "." ? ROOT : dirname(path);
      const documents = parseAllDocuments(await readFile(join(directory, path), "utf8"));
      return documents.map((document): Policy => {
        const policy: Policy = document.toJS();
        return { ...policy, metadata: { ...policy.metadata, namespace: policy.metadata.namespace ?? place } };
      });
    }),
  );
  return all.flat();
}
