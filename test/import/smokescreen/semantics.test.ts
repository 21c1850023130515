import * as fc from "fast-check";
import { expect, it } from "vitest";
import { stringify } from "yaml";
import { IMPORT_CODES } from "../../../src/import/note.ts";
import { importSmokescreen } from "../../../src/import/smokescreen/import.ts";
import { budgetFor, runProperty } from "../../property/budget.ts";
import { deciderOf, OPTIONS, sourceFile } from "../support/decide.ts";
import { aclDraft, HOSTS, ROLES } from "./acl-draft.ts";
import { type Acl, judgeSmokescreen } from "./judge.ts";

const budget = budgetFor(150);

/** Every role of the ACL, and with a default rule one more, has a workload. */
function imported(acl: Acl) {
  const roles = ROLES.filter((role) => acl.default !== undefined || acl.services.some(({ name }) => name === role));
  const mapping = Object.fromEntries(roles.map((role) => [role, [{ serviceAccount: `roles/${role}` }]]));
  return importSmokescreen(
    sourceFile("acl.yaml", stringify(acl)),
    sourceFile("roles.yaml", stringify(mapping)),
    OPTIONS,
  );
}

it("allows nothing that Smokescreen denies, and by the notes alone less", { timeout: budget.timeoutMs }, () => {
  const seen = { allowed: 0, narrowed: 0, exact: 0, decisions: 0 };
  const property = fc.property(fc.boolean().chain(aclDraft), (acl) => {
    const result = imported(acl);
    const ours = deciderOf(result);
    const notes = result.ok ? result.notes : [];
    // The default rule's note is about workloads that nobody is asked for here, the ports' about other ports.
    const exact = notes.every(
      ({ code }) => ["any-port", "default-rule"].includes(code) || IMPORT_CODES[code].effect === "dropped",
    );
    for (const role of ROLES) {
      for (const host of HOSTS) {
        const theirs = judgeSmokescreen(acl, role, host);
        for (const to of [`TLS ${host}:443`, `GET http://${host}/`]) {
          const allowed = ours.allows({ from: `roles/${role}`, to });
          seen.decisions += 1;
          if (allowed) seen.allowed += 1;
          if (allowed && theirs !== "allow")
            throw new Error(`widened: ${role} ${to} is ${theirs} by\n${stringify(acl)}\n${ours.text}`);
          if (!allowed && theirs === "allow") {
            if (exact) throw new Error(`not exact: ${role} ${to} is allowed by\n${stringify(acl)}\n${ours.text}`);
            seen.narrowed += 1;
          }
        }
        if (ours.allows({ from: `roles/${role}`, to: `TLS ${host}:8443` }))
          throw new Error("a port that nobody opened");
      }
    }
    if (exact) seen.exact += 1;
  });
  runProperty(property, budget);
  process.stdout.write(`${JSON.stringify(seen)}\n`);
  expect(seen.allowed).toBeGreaterThan(seen.decisions / 20);
  expect(seen.narrowed).toBeGreaterThan(0);
  expect(seen.exact).toBeGreaterThan(30);
});
