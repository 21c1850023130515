import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import { expect, it } from "vitest";
import { toOcsf } from "../../src/audit/ocsf.ts";
import { renderEvent, renderGap } from "../../src/audit/record.ts";
import { createReshape } from "../../src/audit/shape.ts";
import { REPOSITORY } from "../cli/run-cli.ts";
import { recordOf } from "./records.ts";

/** The package that carries OCSF's published schema. */
const PACKAGE = "ocsf-json-schema==1.2.0";
const CACHE = join(process.env.SALLYPORT_CACHE_DIR ?? join(REPOSITORY, ".cache"), PACKAGE);

/** JSON Schema of an event class of OCSF 1.8, as published; no property is allowed that it does not name. */
function schemaOf(name: string, profiles: readonly string[]): object {
  if (!existsSync(CACHE)) {
    mkdirSync(join(CACHE, ".."), { recursive: true });
    execFileSync("python3", ["-m", "pip", "install", "--quiet", "--no-deps", "--target", CACHE, PACKAGE], {
      stdio: "pipe",
    });
  }
  const program = `import json, sys
sys.path.insert(0, ${JSON.stringify(CACHE)})
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema
schema = OcsfJsonSchemaEmbedded(get_ocsf_schema("1.8.0"))
print(json.dumps(schema.get_class_schema(${JSON.stringify(name)}, ${JSON.stringify(profiles)})))`;
  const text = execFileSync("python3", ["-c", program], { encoding: "utf8", maxBuffer: 1 << 28, timeout: 120_000 });
  const { $schema: _, $id: __, ...schema } = JSON.parse(text);
  return schema;
}

const TIME = Date.parse("2026-11-23T12:00:00Z");
const shape = createReshape("ocsf", "1.2.3");

it("every line in the shape of OCSF is what the published schema of 1.8 wants", () => {
  const ajv = new Ajv({ strict: false, logger: false });
  const profiles = ["host", "security_control"];
  const http = ajv.compile(schemaOf("http_activity", profiles));
  const network = ajv.compile(schemaOf("network_activity", profiles));
  const lifecycle = ajv.compile(schemaOf("application_lifecycle", []));

  function expectValid(validate: typeof http, line: string): Record<string, unknown> {
    const event = JSON.parse(shape(line));
    expect(validate(event), `${line}\n${JSON.stringify(validate.errors)}`).toBe(true);
    return event;
  }

  const headers: [string, string][] = [["user-agent", "curl"]];
  for (const effect of ["allow", "deny"] as const) {
    for (const method of ["GET", "POST", "PATCH", "PURGE", ""]) {
      const gateway = "spiffe://cluster.local/ns/istio-egress/sa/egress";
      const request = { method, path: "/v1", headers, requestId: "r", traceId: "a".repeat(32), gateway };
      const event = expectValid(http, recordOf({ timeMs: TIME, effect, rules: ["a/b/c"], request }));
      expect(event).toMatchObject({
        class_uid: 4002,
        action_id: effect === "allow" ? 1 : 2,
        time: TIME,
        authorizations: [{ decision: effect, policy: { name: "a/b/c", is_applied: true } }],
        dst_endpoint: { hostname: "api.example.com", port: 443 },
        actor: { user: { uid: "spiffe://cluster.local/ns/shop/sa/app" } },
      });
    }
    for (const protocol of ["tls", "tcp"] as const) {
      const event = expectValid(network, recordOf({ timeMs: TIME, effect, protocol }));
      expect(event).toMatchObject({ class_uid: 4001, activity_id: effect === "allow" ? 1 : 5 });
    }
  }
  for (const event of ["started", "stopped", "policies-loaded", "policies-rejected", "checkpoint", "sink-failed"]) {
    expectValid(lifecycle, renderEvent(1, { event, timeMs: TIME, detail: { any: { thing: [1] } } }));
  }
  expectValid(lifecycle, renderGap(TIME, 3, "disk on fire"));
  // The schema is no rubber stamp.
  expect(http({ ...JSON.parse(shape(recordOf({ timeMs: TIME }))), unheard_of: 1 })).toBe(false);
  expect(http(toOcsf({ event: "started" }, "1", TIME))).toBe(false);
}, 300_000);
