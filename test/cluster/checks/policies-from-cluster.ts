import assert from "node:assert/strict";
import { waitUntil } from "../../../src/cli/demo/process.ts";
import { runCli } from "../../cli/run-cli.ts";
import { connectClient, httpCheck, told } from "../../server/harness.ts";
import { type Serving, startServing } from "../../support/serve.ts";
import type { Check } from "../check.ts";
import type { Cluster } from "../cluster.ts";
import { applied, namespace } from "../objects.ts";
import { establishResources, shippedPolicies } from "../shipped-policies.ts";

const SYSTEM = "policies-from-cluster";
const LIMIT_MS = 90_000;
const ROLE = "policies-from-cluster";

interface Stored {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string; readonly generation: number };
  readonly status?: {
    readonly seats?: number;
    readonly revision?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason: string;
      readonly message: string;
      readonly observedGeneration: number;
    }[];
  };
}

/** Two servers that take their policies from the cluster, with a service account of their own. */
export const policiesFromCluster: readonly Check[] = [
  {
    name: "policies-from-cluster",
    async run(cluster) {
      await establishResources(cluster);
      // Another check may have left its own.
      await cluster.kubectl(["delete", "sallyport", "--all", "--all-namespaces"]);
      await applied(cluster, [
        namespace(SYSTEM),
        { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "sallyport", namespace: SYSTEM } },
        { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", metadata: { name: ROLE }, rules: RULES },
        BINDING,
      ]);
      const kubeconfig = await cluster.serviceAccount(SYSTEM, "sallyport");
      const start = () =>
        startServing(
          {
            "policy-source": "kubernetes",
            "kubernetes-kubeconfig": kubeconfig,
            "audit-to": "none",
            "log-level": "silent",
            "reload-poll": "1h",
          },
          "/livez",
        );
      const servers = [await start(), await start()];
      try {
        return await judge(cluster, servers);
      } finally {
        await Promise.all(servers.map(({ child }) => child.stop()));
      }
    },
  },
];

async function judge(cluster: Cluster, servers: readonly Serving[]): Promise<string> {
  const [first, second] = servers;
  assert(first !== undefined && second !== undefined);
  assert.equal(await first.ready(), false, "ready without policies");
  const policies = await shippedPolicies();
  const spaces = new Set(policies.map(({ metadata }) => metadata.namespace));
  await applied(
    cluster,
    [...spaces].map((name) => namespace(name)),
  );
  await applied(cluster, policies);
  const compiled = JSON.parse((await runCli(["inspect", "policies", "--output", "json"])).stdout);
  for (const each of servers) {
    await waitUntil(
      "the revision of the directory",
      async () => (await revisionOf(each)) === compiled.revision,
      LIMIT_MS,
    );
  }
  const all = async () => (await stored(cluster)).filter(({ status }) => acceptedOf(status)?.status !== "True");
  await waitUntil("every object accepted", async () => (await all()).length === 0, LIMIT_MS);
  await waitUntil("two seats", async () => (await gateway(cluster)).status?.seats === 2, LIMIT_MS);
  assert.equal((await gateway(cluster)).status?.revision, compiled.revision);
  assert.equal(await ask(first, CHECKOUT, "api.stripe.com", "POST", "/v1/charges"), "allow");

  // What only the server can tell: said in the status, and nobody else is kept waiting.
  const stripe = policies.find(({ metadata }) => metadata.name === "payments-to-stripe");
  const rules = stripe?.spec.rules as readonly Readonly<Record<string, unknown>>[];
  const to = [{ service: "stripe", paths: ["/v1/{charges"] }];
  await applied(cluster, [{ ...stripe, spec: { ...stripe?.spec, rules: [{ ...rules[0], to }, ...rules.slice(1)] } }]);
  await waitUntil(
    "a refusal",
    async () => (await condition(cluster, "payments-to-stripe"))?.status === "False",
    LIMIT_MS,
  );
  const refusal = await condition(cluster, "payments-to-stripe");
  assert.equal(refusal?.reason, "Invalid");
  assert.match(refusal?.message ?? "", /\/v1\/\{charges/);
  assert.equal(
    await ask(first, CHECKOUT, "api.stripe.com", "POST", "/v1/charges"),
    "allow",
    "the last good one is gone",
  );
  const before = await revisionOf(first);
  const support = policies.find(({ kind, metadata }) => kind === "EgressPolicy" && metadata.namespace === "support");
  assert(support !== undefined);
  await cluster.kubectl(["delete", "egresspolicy", support.metadata.name, "--namespace=support"]);
  await waitUntil("another namespace's revocation", async () => (await revisionOf(first)) !== before, LIMIT_MS);
  await applied(cluster, policies);
  await waitUntil("repaired policies", async () => (await revisionOf(second)) === compiled.revision, LIMIT_MS);
  await waitUntil("every object accepted again", async () => (await all()).length === 0, LIMIT_MS);

  // Without the API server what is in force stays; what changed meanwhile, and is too old to be told one by one, is found.
  await cluster.stopApiServer();
  await waitUntil(
    "that it is noticed",
    async () => (await first.metric("sallyport_policy_source_seen")) === 0,
    LIMIT_MS,
  );
  assert.equal(await ask(first, CHECKOUT, "api.stripe.com", "POST", "/v1/charges"), "allow");
  await cluster.startApiServer();
  await cluster.kubectl(["delete", "egresspolicy", "payments-to-stripe", "--namespace=payments"]);
  for (const each of servers) {
    const isDenied = async () => (await ask(each, CHECKOUT, "api.stripe.com", "POST", "/v1/charges")) === "deny";
    await waitUntil("a revocation after a restart", isDenied, LIMIT_MS);
  }

  // A server that may not read any more keeps what it has, and says so.
  const binding = ["delete", "clusterrolebinding", ROLE];
  assert.equal((await cluster.kubectl(binding)).code, 0);
  await cluster.stopApiServer();
  await cluster.startApiServer();
  await applied(cluster, policies);
  await waitUntil("a refused server", async () => (await first.metric("sallyport_policy_source_seen")) === 0, LIMIT_MS);
  assert.equal(await ask(first, CHECKOUT, "api.stripe.com", "POST", "/v1/charges"), "deny");
  await compact(cluster);
  await applied(cluster, [BINDING]);
  for (const each of servers) {
    await waitUntil("all of it again", async () => (await revisionOf(each)) === compiled.revision, LIMIT_MS);
    const sees = async () => (await each.metric("sallyport_policy_source_seen")) === 1;
    await waitUntil("that changes are seen", sees, LIMIT_MS);
  }
  return `${policies.length} objects make the directory's revision on ${servers.length} servers; statuses, restarts, compaction and revoked rights`;
}

const CHECKOUT = "spiffe://cluster.local/ns/payments/sa/checkout";

/** What the chart grants. */
const KINDS = ["egressgateways", "externalservices", "identitygroups", "egresspolicies"];
const RULES = [
  { apiGroups: ["sallyport.dev"], resources: KINDS, verbs: ["get", "list", "watch"] },
  { apiGroups: ["sallyport.dev"], resources: KINDS.map((each) => `${each}/status`), verbs: ["get", "patch", "update"] },
];
const BINDING = {
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "ClusterRoleBinding",
  metadata: { name: ROLE },
  roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: ROLE },
  subjects: [{ kind: "ServiceAccount", name: "sallyport", namespace: SYSTEM }],
};

async function revisionOf(server: Serving): Promise<string | null> {
  const { revision } = (await (await server.page("/readyz")).json()) as { revision: string | null };
  return revision;
}

async function ask(
  server: Serving,
  principal: string,
  host: string,
  method: string,
  path: string,
): Promise<string | undefined> {
  const client = connectClient(server.address);
  try {
    return told(await client.check(httpCheck({ principal, host, method, path }))).effect;
  } finally {
    client.close();
  }
}

async function stored(cluster: Cluster): Promise<readonly Stored[]> {
  const { code, stdout, stderr } = await cluster.kubectl(["get", "sallyport", "--all-namespaces", "--output=json"]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout).items;
}

async function gateway(cluster: Cluster): Promise<Stored> {
  const found = (await stored(cluster)).find(({ kind }) => kind === "EgressGateway");
  assert(found !== undefined);
  return found;
}

function acceptedOf(status: Stored["status"]) {
  return status?.conditions?.find(({ type }) => type === "Accepted");
}

async function condition(cluster: Cluster, name: string) {
  return acceptedOf((await stored(cluster)).find(({ metadata }) => metadata.name === name)?.status);
}

/** Forgets all earlier versions, as etcd does every few minutes: whoever goes on from one is told that it is too old. */
async function compact(cluster: Cluster): Promise<void> {
  const ask = (path: string, body: object) =>
    fetch(`${cluster.etcdUrl}${path}`, { method: "POST", body: JSON.stringify(body) }).then((each) => each.json());
  const { header } = (await ask("/v3/kv/range", { key: Buffer.from("a").toString("base64") })) as {
    header: { revision: string };
  };
  await ask("/v3/kv/compaction", { revision: header.revision, physical: true });
}
