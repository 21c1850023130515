import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { waitUntil } from "../../../src/cli/demo/process.ts";
import { REPOSITORY } from "../../cli/run-cli.ts";
import type { Check } from "../check.ts";
import { applied, apply, namespace } from "../objects.ts";

const EXAMPLES = join(REPOSITORY, "deploy/examples");
const TAKES_EFFECT_MS = 60_000;

/** What `generate` makes of the shipped policies, on an API server that enforces it. */
export const generated: readonly Check[] = [
  {
    name: "generated-objects",
    async run(cluster, tools) {
      const crds = await cluster.kubectl(["apply", "--server-side", `--filename=${tools.istioCrds}`]);
      assert.equal(crds.code, 0, crds.stderr);
      const established = ["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"];
      assert.equal((await cluster.kubectl(established)).code, 0);
      const objects = [...(await objectsIn("kubernetes")), ...(await objectsIn("istio"))];
      const namespaces = new Set(
        objects.map(({ metadata }) => metadata.namespace).filter((each) => each !== undefined),
      );
      await applied(
        cluster,
        [...namespaces].map((name) => namespace(name)),
      );
      await applied(cluster, objects);
      return `${objects.length} objects in ${namespaces.size} namespaces are valid`;
    },
  },
  {
    name: "generated-admission",
    async run(cluster) {
      await applied(cluster, [
        role("tenant", [
          { apiGroups: ["", "apps", "networking.k8s.io", "networking.istio.io"], resources: ["*"], verbs: ["*"] },
        ]),
        binding("tenant", "tenant"),
        { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "egress", namespace: "istio-egress" } },
        { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "shop", namespace: "payments" } },
      ]);
      const as = (user: string, object: object) => apply(cluster, [object], `--as=${user}`, "--dry-run=server");
      const refusal = async (object: object): Promise<string> => {
        const { code, stderr } = await as("tenant", object);
        return code === 0 ? "admitted" : stderr;
      };
      const way = networkPolicy("payments", [{ to: [{ ipBlock: { cidr: "0.0.0.0/0" } }] }]);
      await waitUntil("a refusal", async () => /ValidatingAdmissionPolicy/.test(await refusal(way)), TAKES_EFFECT_MS);
      const refused: readonly (readonly [object, RegExp])[] = [
        [way, /egress to addresses leaves through the gateway/],
        [networkPolicy("istio-egress", []), /written by egress administrators only/],
        [serviceEntry("api.stripe.com"), /names a host that is registered for egress/],
        [pod("istio-egress", "egress"), /what runs beside the egress gateway/],
      ];
      for (const [object, message] of refused) assert.match(await refusal(object), message);
      const token = ["create", "token", "egress", "--namespace=istio-egress"];
      assert.match((await cluster.kubectl([...token, "--as=tenant"])).stderr, /what runs beside the egress gateway/);
      const admitted = [
        networkPolicy("payments", [{ to: [{ podSelector: {} }] }]),
        serviceEntry("legacy.payments.internal"),
        pod("payments", "shop"),
      ];
      for (const object of admitted) assert.equal(await refusal(object), "admitted");

      const ownPod = pod("istio-egress", "egress");
      await applied(cluster, [binding("administers", "sallyport-egress-administrator", "tenant")]);
      await waitUntil("the role's effect", async () => (await as("tenant", ownPod)).code === 0, TAKES_EFFECT_MS);
      return "tenants are refused, administrators are not";
    },
  },
];

interface Named {
  readonly kind: string;
  readonly metadata: { readonly namespace?: string };
}

/** Objects of a target, without what is not for the API server. */
async function objectsIn(target: string): Promise<readonly Named[]> {
  const directory = join(EXAMPLES, target);
  const paths = (await readdir(directory, { recursive: true })).filter((each) => each.endsWith(".yaml")).sort();
  const texts = await Promise.all(paths.map((path) => readFile(join(directory, path), "utf8")));
  const documents = texts.flatMap((text) => parseAllDocuments(text)).map((each): Named => each.toJS());
  return documents.filter(({ kind }) => kind !== undefined && kind !== "Component");
}

function role(name: string, rules: readonly object[]): object {
  return { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", metadata: { name }, rules };
}

function binding(name: string, roleName: string, user = name): object {
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: roleName },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: user }],
  };
}

function networkPolicy(space: string, egress: readonly object[]): object {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "mine", namespace: space },
    spec: { podSelector: {}, policyTypes: ["Egress"], egress },
  };
}

function serviceEntry(host: string): object {
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "ServiceEntry",
    metadata: { name: "mine", namespace: "payments" },
    spec: {
      hosts: [host],
      location: "MESH_INTERNAL",
      resolution: "NONE",
      ports: [{ number: 80, name: "http", protocol: "HTTP" }],
    },
  };
}

function pod(space: string, serviceAccountName: string): object {
  const containers = [{ name: "app", image: "none" }];
  const metadata = { name: "mine", namespace: space };
  return { apiVersion: "v1", kind: "Pod", metadata, spec: { serviceAccountName, containers } };
}
