import assert from "node:assert/strict";
import { connectApi } from "../../../src/server/kubernetes/api.ts";
import type { Check } from "../check.ts";
import type { Cluster } from "../cluster.ts";
import { applied, apply, namespace } from "../objects.ts";
import { establishResources, type Policy, shippedPolicies } from "../shipped-policies.ts";

/** Policies as custom resources: the schemas take what files may say, and refuse at once what they can tell. */
export const customResources: readonly Check[] = [
  {
    name: "custom-resources",
    async run(cluster) {
      await establishResources(cluster);
      const policies = await shippedPolicies();
      const spaces = new Set(policies.map(({ metadata }) => metadata.namespace));
      await applied(
        cluster,
        [...spaces].map((name) => namespace(name)),
      );
      await applied(cluster, policies);
      const back = await cluster.kubectl(["get", "sallyport", "--all-namespaces", "--output=json"]);
      const stored: readonly Policy[] = JSON.parse(back.stdout).items;
      for (const { kind, metadata, spec } of policies) {
        const found = stored.find((each) => each.kind === kind && each.metadata.name === metadata.name);
        assert.deepEqual(found?.spec, spec, `${kind} ${metadata.name} is stored otherwise than it was written`);
      }
      await applied(cluster, [namespace("custom-resources")]);
      const refused = REFUSED.map(([object, message]) => [object, message] as const);
      for (const [object, message] of refused) {
        const { code, stderr } = await apply(cluster, [object], "--dry-run=server");
        assert.notEqual(code, 0, `taken: ${JSON.stringify(object)}`);
        assert.match(stderr, message);
      }
      const table = await cluster.kubectl(["get", "egresspolicies", "--namespace=payments"]);
      assert.match(table.stdout, /NAME +OWNER +MODE +ACCEPTED +AGE/);
      await writesOnlyWhatItHasRead(cluster);
      return `${policies.length} objects are stored as written, ${refused.length} mistakes refused at once`;
    },
  },
];

/** Of two servers that write a status of the same version, the second is told that it has changed; nothing that somebody else wrote is lost. */
async function writesOnlyWhatItHasRead(cluster: Cluster): Promise<void> {
  const api = await connectApi({ kubeconfig: cluster.kubeconfig });
  const [read] = (await api.list("EgressPolicy")).items;
  assert(read !== undefined);
  const condition = (type: string) => ({
    conditions: [{ type, status: "True", reason: "Seen", message: "seen", lastTransitionTime: "2026-11-23T12:00:00Z" }],
  });
  assert.equal(await api.writeStatus(read, condition("First")), "written");
  assert.equal(await api.writeStatus(read, condition("Second")), "conflict");
  const now = (await api.list("EgressPolicy")).items.find(({ metadata }) => metadata.uid === read.metadata.uid);
  assert.deepEqual(
    now?.status?.conditions?.map(({ type }) => type),
    ["First"],
  );
  const gone = { ...read, metadata: { ...read.metadata, name: "nobody" } };
  assert.equal(await api.writeStatus(gone, condition("Third")), "conflict");
}

const RULE = { name: "a", from: [{ namespace: "custom-resources" }], to: [{ service: "a" }] };

const REFUSED: readonly (readonly [object, RegExp])[] = [
  [policy({ owner: "a", rules: [RULE], colour: "red" }), /unknown field "(spec\.)?colour"/],
  [policy({ rules: [RULE] }), /spec.owner: Required|missing required field "owner"/],
  [policy({ owner: "a\u202b\nb", rules: [RULE] }), /spec.owner.*should match/],
  [policy({ owner: "a", rules: [{ ...RULE, effect: "maybe" }] }), /spec.rules\[0\].effect: Unsupported value/],
  [policy({ owner: "a", rules: [{ ...RULE, effect: "deny" }] }), /a deny needs a reason/],
  [policy({ owner: "a", rules: [{ name: "a", from: RULE.from }] }), /only a deny may leave out/],
  [policy({ owner: "a", rules: [{ ...RULE, to: [{ service: "a", hosts: ["a.b"] }] }] }), /service or hosts, not both/],
  [policy({ owner: "a", rules: [{ ...RULE, from: [{ group: "a", namespace: "b" }] }] }), /must have at most 1/],
  [
    policy({ owner: "a", rules: [{ ...RULE, notBefore: "2027-01-01T00:00:00Z", expires: "2026-01-01T00:00:00Z" }] }),
    /notBefore lies before expires/,
  ],
  [
    {
      apiVersion: "sallyport.dev/v1alpha1",
      kind: "EgressGateway",
      metadata: { name: "a", namespace: "custom-resources" },
      spec: { seat: "gateway", filter: { inline: true, file: "/f" } },
    },
    /one of file, url and inline/,
  ],
  [
    {
      apiVersion: "sallyport.dev/v1alpha1",
      kind: "ExternalService",
      metadata: { name: "a.b", namespace: "custom-resources" },
      spec: { hosts: ["a.example.com"], ports: [{ number: 80, protocol: "HTTP" }] },
    },
    /DNS-1123 label/,
  ],
];

function policy(spec: object): object {
  const metadata = { name: "refused", namespace: "custom-resources" };
  return { apiVersion: "sallyport.dev/v1alpha1", kind: "EgressPolicy", metadata, spec };
}
