import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { STANDARDS } from "../../scripts/chart/values.ts";
import { parseSize } from "../../src/cli/config-settings.ts";
import { istioTarget } from "../../src/generate/istio/target.ts";
import { kubernetesTarget } from "../../src/generate/kubernetes/target.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import { REPOSITORY } from "../cli/run-cli.ts";
import { canon } from "../policy/policy-files.ts";
import { type Manifest, manifestNames, manifestsOf, requireManifest, serverOf } from "./manifests.ts";
import { configOf } from "./pod-files.ts";

const read = (path: string): string => readFileSync(join(REPOSITORY, path), "utf8");
const keyOf = ({ kind, metadata }: Manifest): string => `${kind} ${metadata.namespace}/${metadata.name}`;
const ajv = new Ajv({ strict: false, formats: { uri: true } });
/** Named when it runs: one of Kubernetes' own schemas. */
const modelOf = (path: string) => import(/* @vite-ignore */ path);
const isValues = ajv.compile(JSON.parse(read("deploy/chart/values.schema.json")));

describe.each(manifestNames())("%s.yaml", (name) => {
  const objects = manifestsOf(name);

  it("is valid by Kubernetes' schemas, each object once", async () => {
    for (const object of objects.filter(({ apiVersion }) => !apiVersion.includes("istio.io"))) {
      const model = (await modelOf(`kubernetes-models/${object.apiVersion}/${object.kind}`))[object.kind];
      expect(() => new model(object).validate(), keyOf(object)).not.toThrow();
    }
    expect(new Set(objects.map(keyOf)).size).toBe(objects.length);
  });

  it("gives no Pod more than it needs", () => {
    const workloads = objects.filter(({ spec }) => spec?.template !== undefined);
    expect(workloads.length).toBeGreaterThan(0);
    for (const { spec } of workloads) {
      const pod = spec.template.spec;
      expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
      expect(pod.containers).toHaveLength(1);
      expect(pod.containers[0].securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      });
      expect(pod.containers[0].resources).toMatchObject({
        requests: { cpu: expect.any(String), memory: expect.any(String) },
      });
      const isServer = pod.containers[0].name === "sallyport";
      expect(pod.automountServiceAccountToken).toBe(isServer && name === "custom-resources");
      expect(pod.topologySpreadConstraints.map((each: Manifest) => each.topologyKey)).toContain(
        "topology.kubernetes.io/zone",
      );
      expect([pod.hostNetwork, pod.hostPID, pod.hostIPC]).toEqual([undefined, undefined, undefined]);
      for (const constraint of pod.topologySpreadConstraints) {
        expect(spec.template.metadata.labels).toMatchObject(constraint.labelSelector.matchLabels);
      }
    }
  });

  it("selects by labels that the Pods have", () => {
    const { metadata } = serverOf(objects);
    const { labels } = serverOf(objects).spec.template.metadata;
    const own = (kind: string): Manifest => requireManifest(objects, [kind], metadata.name);
    expect(labels).toMatchObject(own("Service").spec.selector);
    expect(labels).toMatchObject(own("PodDisruptionBudget").spec.selector.matchLabels);
    expect(labels).toMatchObject({ "app.kubernetes.io/name": own("Service").metadata.name });
    const ports = own("Service").spec.ports;
    expect(ports).toEqual([{ name: "grpc", port: 9191, targetPort: "grpc", protocol: "TCP", appProtocol: "grpc" }]);
    for (const { spec } of objects.filter(({ kind }) => kind === "HorizontalPodAutoscaler")) {
      const target = requireManifest(objects, [spec.scaleTargetRef.kind], spec.scaleTargetRef.name);
      const { container } = spec.metrics[0].containerResource;
      expect(target.spec.template.spec.containers.map((each: Manifest) => each.name)).toContain(container);
      expect(target.spec.replicas).toBeUndefined();
    }
  });

  it("keeps a trail that fits its volume, or sends it away", () => {
    const { kind, spec } = serverOf(objects);
    const to: readonly string[] = configOf(objects, serverOf(objects).metadata.name).audit.to;
    expect(kind).toBe(to.some((each) => each.startsWith("/")) ? "StatefulSet" : "Deployment");
    if (kind === "Deployment") return;
    const { maxSize, maxFiles } = STANDARDS.config.audit;
    const { storage } = spec.volumeClaimTemplates[0].spec.resources.requests;
    expect(parseSize(`${storage}B`) ?? 0).toBeGreaterThan((parseSize(maxSize) ?? 0) * (maxFiles + 2));
  });
});

describe("chart and generated objects", () => {
  const objects = manifestsOf("standard");
  const withGateway = manifestsOf("with-gateway");
  const { data } = requireManifest(objects, ["ConfigMap"], "sallyport-policies");
  const files = Object.entries<string>(data).map(([path, text]) => ({ path, bytes: Buffer.from(text) }));
  const { set } = loadPolicySet(files, canon);
  if (set === null) throw new Error("the chart's policies are not valid");
  const options = { native: false, filterCode: () => Buffer.from("") };
  const generated: readonly Manifest[] = [istioTarget, kubernetesTarget].flatMap((target) =>
    target.generate(set, options).files.flatMap(({ documents }) => documents),
  );
  const applied = generated.filter(({ kind }) => kind !== undefined && kind !== "Component");

  it("say the same of whom the server answers", () => {
    for (const kind of ["PeerAuthentication", "NetworkPolicy"]) {
      const name = kind === "NetworkPolicy" ? "sallyport-checks" : "sallyport";
      expect(requireManifest(objects, [kind], name).spec).toEqual(requireManifest(generated, [kind], name).spec);
    }
    const [ours, theirs] = [objects, generated].map((each) =>
      requireManifest(each, ["AuthorizationPolicy"], "sallyport-callers"),
    );
    expect(ours.metadata.namespace).toBe(theirs.metadata.namespace);
    // The chart knows accounts, the policies a namespace.
    const without = ({ spec }: Manifest) => ({ ...spec, rules: spec.rules.map(({ to }: Manifest) => to) });
    expect(without(ours)).toEqual(without(theirs));
    expect(ours.spec.rules[0].from).toEqual([{ source: { principals: ["cluster.local/ns/istio-egress/sa/egress"] } }]);
    expect(theirs.spec.rules[0].from).toEqual([{ source: { namespaces: ["istio-egress"] } }]);
  });

  it("define nothing twice where the policies define what stands around the server", () => {
    const both = withGateway.map(keyOf).filter((key) => applied.map(keyOf).includes(key));
    expect(both).toEqual([]);
    expect(objects.map(keyOf).filter((key) => applied.map(keyOf).includes(key))).toHaveLength(3);
  });

  it("mean the same gateway", () => {
    const gateway = requireManifest(withGateway, ["Deployment"], set.gateway.name);
    expect(gateway.metadata.namespace).toBe(set.gateway.namespace);
    expect(gateway.spec.template.metadata.labels).toMatchObject(set.gateway.selector);
    const { serviceAccountName, nodeSelector, tolerations } = gateway.spec.template.spec;
    const id = `spiffe://${set.gateway.trustDomains[0]}/ns/${set.gateway.namespace}/sa/${serviceAccountName}`;
    expect(configOf(withGateway).allowedCallers).toEqual([id]);
    const component = generated.find(({ kind }) => kind === "Component");
    expect({ nodeSelector, tolerations }).toEqual(JSON.parse(component.patches[0].patch).spec.template.spec);
    expect(set.gateway.authorizer?.service).toBe("sallyport.sallyport-system");
  });

  it("put the filter where the gateway looks for it", () => {
    const { volumeMounts } = requireManifest(manifestsOf("full"), ["Deployment"], "exit").spec.template.spec
      .containers[0];
    expect(read("docs/generate.md")).toContain(`\`${volumeMounts[0].mountPath}\``);
  });
});

describe("values", () => {
  it("are those of the schema, and no others", () => {
    expect(isValues(parse(read("deploy/chart/values.yaml"))), ajv.errorsText(isValues.errors)).toBe(true);
    expect(parse(read("deploy/chart/values.yaml"))).toEqual(STANDARDS);
    for (const name of manifestNames()) {
      expect(isValues(parse(read(`deploy/chart/ci/${name}-values.yaml`))), ajv.errorsText(isValues.errors)).toBe(true);
    }
  });

  it.each<[string, object]>([
    ["an unknown value", { replicas: 3 }],
    ["an unknown setting of the server", { config: { audit: { colour: "red" } } }],
    ["a setting that is the chart's", { config: { listen: ["0.0.0.0:1"] } }],
    ["a source of policies beside `policies.source`", { config: { policySource: "kubernetes" } }],
    ["a caller that is no SPIFFE ID", { allowedCallers: ["everybody"] }],
    ["nobody who may ask", { allowedCallers: [] }],
    ["a path out of the policy directory", { policies: { files: { "../gateway.yaml": "" } } }],
    ["a size without a unit", { audit: { volume: { size: "10" } } }],
    ["a digest that is none", { image: { digest: "latest" } }],
  ])("that are refused: %s", (_, values) => {
    expect(isValues(values)).toBe(false);
  });

  it("ask for the memory that docs/sizing.md counts", () => {
    const { requests, limits } = STANDARDS.resources;
    const said = `ask for ${String(requests?.memory).replace("Mi", " MiB")}, and set the limit at ${String(limits?.memory).replace("Mi", " MiB")}`;
    expect(read("docs/sizing.md")).toContain(said);
    expect(read("docs/sizing.md")).toContain(`÷ 0.${STANDARDS.autoscaling.targetCPU / 10}`);
  });
});

it("the chart has the version of what it installs", () => {
  const { version } = JSON.parse(read("package.json"));
  expect(parse(read("deploy/chart/Chart.yaml"))).toMatchObject({ version, appVersion: version });
});
