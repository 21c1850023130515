import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseManifests, serverOf } from "../../deploy/manifests.ts";
import type { Check } from "../check.ts";
import type { Cluster } from "../cluster.ts";
import { applied, apply, namespace } from "../objects.ts";
import { CHART, MANIFESTS, renderChart, valuesFile, valuesSets } from "../render-chart.ts";
import { type Ran, run } from "../run.ts";
import type { Tools } from "../tools.ts";

const RESTRICTED = { "pod-security.kubernetes.io/enforce": "restricted" };
const SPACE = "sallyport-system";

/** deploy/chart by Helm itself, and what it makes by the API server. The Istio CRDs are there already: `generated-objects` brings them. */
export const chart: readonly Check[] = [
  {
    name: "chart-lint",
    async run(_, { helm }) {
      for (const name of valuesSets()) {
        const { code, stdout, stderr } = await run(helm, ["lint", "--strict", CHART, "--values", valuesFile(name)]);
        assert.equal(code, 0, `${name}: ${stdout}${stderr}`);
      }
      return `${valuesSets().length} sets of values`;
    },
  },
  {
    name: "chart-manifests",
    async run(_, { helm }) {
      for (const name of valuesSets()) {
        const present = await readFile(join(MANIFESTS, `${name}.yaml`), "utf8");
        assert.equal(present, await renderChart(helm, name), `${name}.yaml is stale: run \`npm run manifests\``);
      }
      return "deploy/manifests is what the chart renders";
    },
  },
  {
    name: "chart-refusals",
    async run(_, tools) {
      const refused: readonly (readonly [readonly string[], RegExp])[] = [
        [["replicas=3"], /additional properties 'replicas' not allowed/],
        [["policies.files.gateway\\.yaml=null"], /policies\.files is empty/],
        [["audit.volume.enabled=false", "config.audit.to[0]=/var/log/a"], /it would end with its Pod/],
        [["policies.source=customResources"], /networkPolicy\.egress is empty/],
        [["gateway.enabled=true", "gateway.serviceAccount=other"], /does not list the gateway: add spiffe/],
        [["gateway.enabled=true", "gateway.selector.istio=null"], /every Pod would be the gateway/],
        [["tls.secretName="], /tls\.secretName is empty/],
        [["metricsReaders[0]=spiffe://corp.example/prometheus"], /names no namespace/],
      ];
      for (const [values, message] of refused) {
        const { code, stderr } = await template(tools, values);
        assert.notEqual(code, 0, `${values} was taken`);
        assert.match(stderr, message);
      }
      return `${refused.length} mistakes are told`;
    },
  },
  {
    name: "chart-strict",
    async run(cluster) {
      await bringNamespaces(cluster);
      let count = 0;
      for (const name of valuesSets()) {
        const objects = parseManifests(await readFile(join(MANIFESTS, `${name}.yaml`), "utf8"));
        const { code, stderr } = await apply(cluster, objects, "--dry-run=server");
        assert.equal(code, 0, `${name}: ${stderr}`);
        assert.doesNotMatch(stderr, /would violate PodSecurity/);
        count += objects.length;
      }
      return `${count} objects are valid, unknown fields refused`;
    },
  },
  {
    name: "chart-life",
    async run(cluster, { helm }) {
      await bringNamespaces(cluster);
      const helmed = async (...args: readonly string[]): Promise<string> => {
        const { code, stdout, stderr } = await run(helm, [
          ...args,
          "--namespace",
          SPACE,
          "--kubeconfig",
          cluster.kubeconfig,
        ]);
        assert.equal(code, 0, stderr);
        return stdout;
      };
      const cpu = async (): Promise<string> => {
        const { stdout } = await cluster.kubectl([
          "get",
          "statefulset",
          "sallyport",
          "--namespace",
          SPACE,
          "--output=json",
        ]);
        return serverOf([JSON.parse(stdout)]).spec.template.spec.containers[0].resources.requests.cpu;
      };
      // What stands around the server is there already: `generated-objects` brought it.
      const guards = ["--set", "guards=generate"];
      await helmed("install", "sallyport", CHART, ...guards);
      assert.equal(await cpu(), "1");
      await helmed("upgrade", "sallyport", CHART, ...guards, "--set", "resources.requests.cpu=2");
      assert.equal(await cpu(), "2");
      await helmed("rollback", "sallyport", "1");
      assert.equal(await cpu(), "1");
      await helmed("uninstall", "sallyport");
      const left = await cluster.kubectl([
        "get",
        "statefulsets,services,configmaps",
        "--namespace",
        SPACE,
        "--output=name",
      ]);
      assert.doesNotMatch(left.stdout, /\/sallyport/);
      return "Helm installs, upgrades, rolls back and uninstalls it";
    },
  },
  {
    name: "chart-restricted",
    async run(cluster) {
      await bringNamespaces(cluster);
      for (const name of valuesSets()) {
        const objects = parseManifests(await readFile(join(MANIFESTS, `${name}.yaml`), "utf8"));
        for (const { metadata, spec } of objects.filter((each) => each.spec?.template !== undefined)) {
          const account = { name: spec.template.spec.serviceAccountName, namespace: metadata.namespace };
          // A release of Helm's would not take over an account that is not its own: this check comes after `chart-life`.
          await applied(cluster, [{ apiVersion: "v1", kind: "ServiceAccount", metadata: account }]);
          const volumes = [...(spec.template.spec.volumes ?? []), ...(spec.volumeClaimTemplates ?? []).map(claimed)];
          const pod = podOf(metadata.namespace, { ...spec.template.spec, volumes });
          const { code, stderr } = await apply(cluster, [pod], "--dry-run=server");
          assert.equal(code, 0, `${name} ${metadata.name}: ${stderr}`);
          const loose = podOf(metadata.namespace, { ...pod.spec, securityContext: {} });
          assert.match((await apply(cluster, [loose], "--dry-run=server")).stderr, /violates PodSecurity "restricted/);
        }
      }
      return "every Pod is admitted by Pod Security's restricted";
    },
  },
  {
    name: "chart-rights",
    async run(cluster) {
      await bringNamespaces(cluster);
      const crds = await cluster.kubectl(["apply", "--server-side", `--filename=${join(CHART, "../crds")}`]);
      assert.equal(crds.code, 0, crds.stderr);
      const objects = parseManifests(await readFile(join(MANIFESTS, "custom-resources.yaml"), "utf8"));
      await applied(
        cluster,
        objects.filter(({ kind }) => /^(ServiceAccount|ClusterRole|ClusterRoleBinding)$/.test(kind)),
      );
      const kubeconfig = await cluster.serviceAccount(SPACE, "sallyport");
      // Names of resources are known a moment after their definitions.
      const wait = ["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"];
      assert.equal((await cluster.kubectl(wait)).code, 0);
      const may = async (verb: string, resource: string, ...more: readonly string[]): Promise<string> => {
        const asked = ["auth", "can-i", verb, resource, "--all-namespaces", ...more];
        return (await cluster.kubectl(asked, { kubeconfig })).stdout.trim();
      };
      for (const kind of ["egressgateways", "externalservices", "identitygroups", "egresspolicies"]) {
        const resource = `${kind}.sallyport.dev`;
        for (const verb of ["get", "list", "watch"]) assert.equal(await may(verb, resource), "yes", `${verb} ${kind}`);
        assert.equal(await may("patch", resource, "--subresource=status"), "yes", `patch the status of ${kind}`);
        for (const verb of ["create", "update", "patch", "delete"])
          assert.equal(await may(verb, resource), "no", `${verb} ${kind}`);
      }
      for (const resource of ["secrets", "pods", "configmaps"])
        assert.equal(await may("get", resource), "no", resource);
      return "the server may read policies and say what it thinks of them, and nothing else";
    },
  },
  {
    name: "chart-istio-names",
    async run(_, { istioCrds }) {
      const api = join(dirname(istioCrds), "..");
      const known = await Promise.all(
        ["annotation/annotations.gen.go", "label/labels.gen.go"].map((file) => readFile(join(api, file), "utf8")),
      );
      const names = new Set<string>();
      for (const name of valuesSets()) {
        const objects = parseManifests(await readFile(join(MANIFESTS, `${name}.yaml`), "utf8"));
        for (const { spec } of objects.filter((each) => each.spec?.template !== undefined)) {
          const { annotations, labels } = spec.template.metadata;
          for (const key of Object.keys({ ...annotations, ...labels })) if (key.includes("istio.io/")) names.add(key);
        }
      }
      for (const name of names)
        assert.ok(
          known.some((text) => text.includes(`"${name}"`)),
          `Istio knows no ${name}`,
        );
      return `${names.size} labels and annotations are Istio's`;
    },
  },
];

function template({ helm }: Tools, values: readonly string[]): Promise<Ran> {
  return run(helm, ["template", "sallyport", CHART, ...values.flatMap((each) => ["--set", each])]);
}

async function bringNamespaces(cluster: Cluster): Promise<void> {
  await applied(
    cluster,
    [SPACE, "istio-egress", "exit"].map((name) => namespace(name, RESTRICTED)),
  );
}

/** What the StatefulSet's controller would add for each of its claims. */
function claimed({ metadata }: { readonly metadata: { readonly name: string } }): object {
  return { name: metadata.name, persistentVolumeClaim: { claimName: metadata.name } };
}

function podOf(space: string, spec: object) {
  return { apiVersion: "v1", kind: "Pod", metadata: { name: "of-the-chart", namespace: space }, spec };
}
