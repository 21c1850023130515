import { describe, expect, it } from "vitest";
import type { Diagnostic } from "../../../src/policy/diagnostic.ts";
import { acceptances } from "../../../src/server/kubernetes/acceptance.ts";
import { type PolicyObject, policyFile, policyPath } from "../../../src/server/kubernetes/policy-object.ts";
import { statusChange } from "../../../src/server/kubernetes/status.ts";
import type { LoadOutcome } from "../../../src/server/load-outcome.ts";
import { objectOf } from "./objects.ts";

const ROOT = "istio-egress";
const NOW = Date.parse("2026-11-23T12:00:00.400Z");
const FORCE = { status: "True", reason: "Accepted", message: "in force" } as const;

function error(object: PolicyObject, message = "no"): Diagnostic {
  const at = { file: policyPath(object, ROOT), line: 7, column: 3 };
  const scope = object.metadata.namespace === ROOT ? "" : object.metadata.namespace;
  return { code: "bad", severity: "error", message, at, scope, excerpt: "  paths: [x\n  ^", fix: "write it well" };
}

function loaded(stale: { namespace: string; keptLastGood: boolean; diagnostics: Diagnostic[] }[] = []): LoadOutcome {
  return { kind: "loaded", stale, warnings: [] } as unknown as LoadOutcome;
}

/** An object that was accepted in this generation. */
function accepted(namespace: string, name: string, generation = 1): PolicyObject {
  const condition = {
    type: "Accepted",
    ...FORCE,
    observedGeneration: 1,
    lastTransitionTime: "2026-11-01T00:00:00Z",
  };
  return objectOf(namespace, name, { generation, status: { conditions: [condition] } });
}

describe("an object as a file", () => {
  it("lies where its namespace's files lie, the root's at the top, whatever it says of itself", () => {
    const own = objectOf("payments", "stripe", { spec: { owner: "a" } });
    expect(policyFile(own, ROOT).path).toBe("payments/stripe.EgressPolicy.yaml");
    expect(policyPath(objectOf(ROOT, "x.test", { kind: "EgressPolicy" }), ROOT)).toBe("x.test.EgressPolicy.yaml");
    const text = Buffer.from(policyFile({ ...own, status: { revision: "r" } }, ROOT).bytes).toString();
    expect(text).toContain("namespace: payments");
    expect(text).not.toContain("uid");
    expect(text).not.toContain("revision");
  });

  it("has no anchors, which the language refuses, where the same part stands twice", () => {
    const part = { namespace: "payments" };
    const { bytes } = policyFile(objectOf("payments", "twice", { spec: { from: [part, part] } }), ROOT);
    expect(Buffer.from(bytes).toString()).not.toMatch(/[&*]/);
  });
});

describe("what a load came to", () => {
  const good = objectOf("shop", "good");
  const bad = objectOf("payments", "bad");
  const beside = objectOf("payments", "beside");
  const before = accepted("payments", "before");
  const objects = [good, bad, beside, before];

  it("is told to each object: its own mistakes, or whose mistakes keep it back", () => {
    const stale = [{ namespace: "payments", keptLastGood: true, diagnostics: [error(bad)] }];
    const found = acceptances(objects, loaded(stale), ROOT);
    expect(found.get(good.metadata.uid)).toEqual(FORCE);
    expect(found.get(bad.metadata.uid)).toEqual({
      status: "False",
      reason: "Invalid",
      message: "no at `paths: [x` (write it well) [bad]",
    });
    expect(found.get(beside.metadata.uid)).toMatchObject({ status: "False", reason: "NamespaceInvalid" });
    expect(found.has(before.metadata.uid)).toBe(false);
  });

  it("keeps nothing of a namespace that has no good documents", () => {
    const stale = [{ namespace: "payments", keptLastGood: false, diagnostics: [error(bad)] }];
    expect(acceptances(objects, loaded(stale), ROOT).get(before.metadata.uid)).toMatchObject({ status: "False" });
  });

  it("leaves what is in force alone when the root's objects are refused, but nothing that is newer", () => {
    const gateway = objectOf(ROOT, "egress", { kind: "EgressGateway" });
    const edited = accepted("shop", "edited", 2);
    const outcome = { kind: "rejected", diagnostics: [error(gateway)] } as unknown as LoadOutcome;
    const found = acceptances([gateway, edited, before], outcome, ROOT);
    expect(found.get(gateway.metadata.uid)).toMatchObject({ reason: "Invalid" });
    expect(found.get(edited.metadata.uid)).toMatchObject({ reason: "GatewayInvalid" });
    expect(found.has(before.metadata.uid)).toBe(false);
  });

  it("is cut where nobody would read on, and nothing when nothing was compiled", () => {
    const many = Array.from({ length: 500 }, () => error(bad, "a long message"));
    const stale = [{ namespace: "payments", keptLastGood: true, diagnostics: many }];
    expect(acceptances([bad], loaded(stale), ROOT).get(bad.metadata.uid)?.message.length).toBe(2_001);
    expect(acceptances(objects, { kind: "timeout" }, ROOT).size).toBe(0);
  });
});

describe("a status", () => {
  const seat = { name: "pod-a/1", revision: "sha256:a", gateways: 2 };

  it("is written once, keeps conditions of others, and dates the change of the status alone", () => {
    const other = { ...FORCE, type: "Reviewed", lastTransitionTime: "2026-01-01T00:00:00Z" };
    const object = objectOf("payments", "a", { generation: 3, status: { conditions: [other] } });
    const first = statusChange(object, FORCE, null, NOW) as NonNullable<PolicyObject["status"]>;
    expect(first.conditions).toEqual([
      other,
      { type: "Accepted", ...FORCE, observedGeneration: 3, lastTransitionTime: "2026-11-23T12:00:00Z" },
    ]);
    expect(statusChange({ ...object, status: first }, FORCE, null, NOW)).toBeNull();
    const warned = { ...FORCE, message: "a warning" };
    const later = statusChange({ ...object, status: first }, warned, null, NOW + 60_000) as typeof first;
    expect(later.conditions?.at(-1)).toMatchObject({
      message: "a warning",
      lastTransitionTime: "2026-11-23T12:00:00Z",
    });
  });

  it("of the gateway counts servers and gateways of this revision, renews its own entry and drops those that are gone", () => {
    const gateway = (servers: NonNullable<PolicyObject["status"]>["servers"] = []) =>
      objectOf(ROOT, "egress", { kind: "EgressGateway", status: { servers } });
    const at = (ms: number) => new Date(NOW + ms).toISOString();
    const others = [
      { name: "pod-b/1", revision: "sha256:a", gateways: 3, renewTime: at(-10_000) },
      { name: "pod-c/1", revision: "sha256:old", gateways: 9, renewTime: at(-10_000) },
      { name: "pod-d/1", revision: "sha256:a", gateways: 5, renewTime: at(-130_000) },
    ];
    const written = statusChange(gateway(others), null, seat, NOW) as NonNullable<PolicyObject["status"]>;
    expect(written).toMatchObject({ revision: "sha256:a", seats: 3 + 4 });
    expect(written.servers?.map(({ name }) => name)).toEqual(["pod-a/1", "pod-b/1", "pod-c/1"]);
    const present = gateway(written.servers ?? []);
    expect(statusChange(present, null, seat, NOW + 20_000)).toBeNull();
    expect(statusChange(present, null, seat, NOW + 31_000)).not.toBeNull();
    expect(statusChange(present, null, { ...seat, gateways: 0 }, NOW + 1_000)).toMatchObject({ seats: 5 });
    expect(statusChange(objectOf("shop", "a"), null, seat, NOW)).toBeNull();
  });
});
