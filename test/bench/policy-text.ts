import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import type { PolicySet } from "../../src/policy/model.ts";

const API = { apiVersion: "sallyport.dev/v1alpha1" };

/** Writes a synthetic set as the files an author would have: one directory a namespace. Returns the bytes written. */
export async function writePolicyText(set: PolicySet, directory: string): Promise<number> {
  let bytes = 0;
  const put = async (folder: string, name: string, documents: readonly object[]): Promise<void> => {
    await mkdir(join(directory, folder), { recursive: true });
    const text = documents.map((each) => stringify({ ...API, ...each })).join("---\n");
    bytes += text.length;
    await writeFile(join(directory, folder, name), text);
  };
  const gateway = { kind: "EgressGateway", metadata: { name: "egress", namespace: "istio-egress" }, spec: {} };
  await put("", "gateway.yaml", [gateway]);
  const services = set.services.map(({ name, hosts, ports }) => ({
    kind: "ExternalService",
    metadata: { name },
    spec: { hosts, ports },
  }));
  for (let i = 0; i < services.length; i += 1000) await put("", `services-${i}.yaml`, services.slice(i, i + 1000));
  for (const policy of set.policies) {
    const rules = policy.rules.map((rule) => ({
      name: rule.name,
      from: (rule.from ?? []).map((each) => ({ spiffe: "path" in each ? `spiffe://cluster.local${each.path}` : "" })),
      to: (rule.to ?? []).map((to) => ({
        service: to.service?.name,
        ...(to.ports === null ? {} : { ports: to.ports }),
        ...(to.methods === null ? {} : { methods: to.methods }),
        ...(to.paths === null ? {} : { paths: to.paths.map(({ text }) => text) }),
      })),
      ...(rule.expires === null ? {} : { expires: new Date(rule.expires).toISOString() }),
      ticket: rule.ticket,
    }));
    const document = { kind: "EgressPolicy", metadata: { name: policy.name }, spec: { owner: policy.owner, rules } };
    await put(policy.scope, "egress.yaml", [document]);
  }
  return bytes;
}
