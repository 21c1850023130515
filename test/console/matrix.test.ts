import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { CHECK_KINDS, probe } from "../../src/analyze/probe.ts";
import { compileBundle } from "../../src/bundle/compile.ts";
import { readBundleSet } from "../../src/bundle/read-set.ts";
import { destinationsOf, reach, workloadsOf } from "../../src/console/matrix.ts";
import { createCanonicaliser } from "../../src/pdp/canonicaliser.ts";
import { createEngine, type Engine } from "../../src/pdp/engine.ts";
import { readEngineModule } from "../../src/pdp/engine-module.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import type { PolicySet } from "../../src/policy/model.ts";
import { readPolicyDirectory } from "../../src/server/read-policies.ts";
import { REPOSITORY } from "../cli/run-cli.ts";

const NOW = Date.parse("2026-11-23T12:00:00Z");
const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE"];
const PATHS = ["/", "/v1/charges", "/v1/charges/ch_1", "/gists", "/repos/acme/shop/releases", "/a/../b", "/%2e%2e"];
const HEADERS = [[], [["x-account", "holiday-eu"]], [["content-type", "application/json"]]] as const;

let written: PolicySet;
let readBack: PolicySet;
let engine: Engine;

beforeAll(async () => {
  const module = readEngineModule();
  const { set } = loadPolicySet(await readPolicyDirectory(join(REPOSITORY, "policies")), createCanonicaliser(module));
  if (set === null) throw new Error("the shipped policies are refused");
  const bundle = compileBundle(set);
  written = set;
  readBack = readBundleSet(bundle);
  engine = createEngine(module, bundle);
});

describe("who may reach what", () => {
  test("names the same workloads and hosts from the bundle as from the files", () => {
    const ids = (set: PolicySet) => workloadsOf(set, []).map(({ spiffeId }) => spiffeId);
    expect(ids(readBack)).toEqual(ids(written));
    const places = (set: PolicySet) =>
      destinationsOf(set).map(({ host, port, protocol }) => `${host}:${port}/${CHECK_KINDS[protocol]}`);
    expect(places(readBack)).toEqual(places(written));
    expect(places(readBack).length).toBeGreaterThan(30);
  });

  test("says allow or deny only where no method, path or header changes it", () => {
    const counts = { allow: 0, deny: 0, depends: 0 };
    for (const who of workloadsOf(readBack, ["spiffe://cluster.local/ns/nobody/sa/known"])) {
      for (const to of destinationsOf(readBack)) {
        const { outcome } = reach(engine, who, to, NOW);
        counts[outcome] += 1;
        const { port, protocol, asked } = to;
        const kind = CHECK_KINDS[protocol];
        const input = probe(kind, who.spiffeId, asked, port);
        if (outcome === "depends" || kind !== "http") continue;
        for (const method of METHODS) {
          for (const path of PATHS) {
            for (const more of HEADERS) {
              const headers = protocol === "GRPC" ? input.headers : more;
              const { effect } = engine.decide({ ...input, method, path, headers }, NOW);
              expect(effect, `${who.label} ${method} ${asked}:${port}${path}`).toBe(outcome);
            }
          }
        }
      }
    }
    expect(Object.values(counts).every((count) => count > 10)).toBe(true);
  });
});
