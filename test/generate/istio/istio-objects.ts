import { readFileSync } from "node:fs";
import type { Generated } from "../../../src/generate/draft.ts";
import { istioTarget } from "../../../src/generate/istio/target.ts";
import { loadPolicySet } from "../../../src/policy/load.ts";
import type { PolicySet } from "../../../src/policy/model.ts";
import { canon } from "../../policy/policy-files.ts";

/** A generated object, as far as tests look into it. */
// biome-ignore lint/suspicious/noExplicitAny: tests look deep into plain data.
export type Loose = any;

const GATEWAY =
  "{selector: {istio: egressgateway}, authorizer: {service: sallyport.sallyport-system, port: 9191, timeout: 250ms}}";

/** Policy texts by path. @throws what is wrong with them */
function setOf(texts: Readonly<Record<string, string>>): PolicySet {
  const files = Object.entries(texts).map(([path, text]) => ({ path, bytes: Buffer.from(text) }));
  const { set, diagnostics } = loadPolicySet(files, canon);
  if (set === null) throw new Error(JSON.stringify(diagnostics, null, 1));
  return set;
}

/** Services by name, and rules of one policy of the root namespace. */
export function smallSet(services: Readonly<Record<string, string>>, rules: string, gateway = GATEWAY): PolicySet {
  const document = (kind: string, name: string, spec: string): string =>
    `apiVersion: sallyport.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: ${name}, namespace: istio-egress}\nspec: ${spec}\n`;
  const texts = [
    document("EgressGateway", "egress", gateway),
    ...Object.entries(services).map(([name, spec]) => document("ExternalService", name, spec)),
    document("EgressPolicy", "rules", `{owner: a@example.com, rules: ${rules}}`),
  ];
  return setOf({ "all.yaml": texts.join("---\n") });
}

/** The policy sets that `test:mesh` runs on real Envoys. */
export function meshSet(name: string): PolicySet {
  return setOf({
    "policies.yaml": readFileSync(new URL(`../../mesh/sets/${name}/policies.yaml`, import.meta.url), "utf8"),
  });
}

export function generate(set: PolicySet, native = false): Generated {
  return istioTarget.generate(set, { native, filterCode: () => Buffer.from("code") });
}

/** All documents of these kinds, of all files. */
export function documentsOf({ files }: Pick<Generated, "files">, ...kinds: readonly string[]): readonly Loose[] {
  return files.flatMap(({ documents }) => documents as readonly Loose[]).filter(({ kind }) => kinds.includes(kind));
}

/** All patches of EnvoyFilters. */
export function patchesOf(generated: Generated): readonly Loose[] {
  return documentsOf(generated, "EnvoyFilter").flatMap(({ spec }) => spec.configPatches);
}

/** The MeshConfig fragment. */
export function meshConfigOf({ files }: Generated): Loose {
  return files.find(({ path }) => path === "mesh-config.yaml")?.documents[0];
}
