import assert from "node:assert/strict";
import type { Check } from "../check.ts";
import { applied, apply, namespace } from "../objects.ts";

/** That the cluster judges at all: a bench that lets everything pass would say yes to every manifest. */
export const judging: readonly Check[] = [
  {
    name: "judging-fields",
    async run(cluster) {
      await applied(cluster, [namespace("judging-fields"), service("judging-fields", {})]);
      const unknown = await apply(cluster, [service("judging-fields", { colour: "red" })]);
      assert.notEqual(unknown.code, 0, "a field that nobody knows was taken");
      assert.match(unknown.stderr, /unknown field "colour"/);
      const wrong = await apply(cluster, [service("judging-fields", { sessionAffinity: "Sometimes" })]);
      assert.notEqual(wrong.code, 0, "a value that nobody knows was taken");
      return "unknown fields and values are refused";
    },
  },
  {
    name: "judging-access",
    async run(cluster) {
      const rules = [{ apiGroups: [""], resources: ["services"], verbs: ["list"] }];
      await applied(cluster, [
        namespace("judging-access"),
        { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "reader", namespace: "judging-access" } },
        {
          apiVersion: "rbac.authorization.k8s.io/v1",
          kind: "Role",
          metadata: { name: "reader", namespace: "judging-access" },
          rules,
        },
      ]);
      const kubeconfig = await cluster.serviceAccount("judging-access", "reader");
      const list = () => cluster.kubectl(["get", "services", "--namespace=judging-access"], { kubeconfig });
      const before = await list();
      assert.match(before.stderr, /Forbidden/, "a service account without a role may read");
      const subject = "--serviceaccount=judging-access:reader";
      const bind = ["create", "rolebinding", "reader", "--role=reader", subject, "--namespace=judging-access"];
      assert.equal((await cluster.kubectl(bind)).code, 0);
      const after = await list();
      assert.equal(after.code, 0, after.stderr);
      return "service accounts may what RBAC says";
    },
  },
  {
    name: "judging-restart",
    async run(cluster) {
      await applied(cluster, [namespace("judging-restart")]);
      await cluster.stopApiServer();
      const gone = await cluster.kubectl(["get", "namespaces"]);
      assert.notEqual(gone.code, 0, "a stopped API server answers");
      await cluster.startApiServer();
      const back = await cluster.kubectl(["get", "namespace", "judging-restart"]);
      assert.equal(back.code, 0, back.stderr);
      return "objects outlive the API server";
    },
  },
];

function service(space: string, extra: object): object {
  const ports = [{ name: "grpc", port: 9191, appProtocol: "grpc" }];
  return { apiVersion: "v1", kind: "Service", metadata: { name: "some", namespace: space }, spec: { ports, ...extra } };
}
