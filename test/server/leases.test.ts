import { expect, test } from "vitest";
import { createLeases } from "../../src/server/gateway/leases.ts";

const LEASE = { worker: "a", runs: null, revision: "sha256:aa", leaseMs: 5000 };

test("the last lease of each worker is known with its age, until nothing was heard of it for ten minutes", () => {
  let now = 1_000;
  const leases = createLeases(() => now);
  leases.granted(LEASE);
  now += 1_000;
  leases.granted({ ...LEASE, worker: "b" });
  now += 500;
  leases.granted({ ...LEASE, runs: "sha256:aa" });
  now += 250;
  expect(leases.all()).toEqual([
    { ...LEASE, runs: "sha256:aa", ageMs: 250 },
    { ...LEASE, worker: "b", ageMs: 750 },
  ]);
  now += 599_500;
  expect(leases.all().map(({ worker }) => worker)).toEqual(["a"]);
  now += 1_000;
  expect(leases.all()).toEqual([]);
});
