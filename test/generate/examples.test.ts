import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readGenerated } from "../../src/cli/generated-directory.ts";
import { compare } from "../../src/generate/compare.ts";
import { renderFile } from "../../src/generate/render-file.ts";
import { TARGETS } from "../../src/generate/targets.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import { readPolicyDirectory } from "../../src/server/read-policies.ts";
import { canon } from "../policy/policy-files.ts";

const ROOT = join(import.meta.dirname, "../..");
const POLICIES = await readPolicyDirectory(join(ROOT, "policies"));
const { set } = loadPolicySet(POLICIES, canon);
if (set === null) throw new Error("the shipped policies are invalid");

describe.each(TARGETS.map((target) => [target.name, target] as const))(
  "%s, for the shipped policies",
  (name, target) => {
    const { files, notes } = target.generate(set, { native: false });
    const rendered = files.map((draft) => renderFile(name, draft));

    test("is what deploy/examples shows (npm run examples writes it)", async () => {
      const differences = compare(name, rendered, await readGenerated(join(ROOT, "deploy/examples", name)));
      expect(differences.map(({ patch }) => patch).join("\n")).toBe("");
    });

    test("has no error, and each note says where and what to do", () => {
      for (const { severity, at, message, fix } of notes) {
        expect([severity, message, fix]).toEqual(["warning", expect.stringMatching(/\w/), expect.stringMatching(/\w/)]);
        expect(at.line).toBeGreaterThan(0);
      }
    });

    test("does not depend on the order of files", () => {
      const turned = loadPolicySet(POLICIES.toReversed(), canon).set;
      if (turned === null) throw new Error("invalid when turned round");
      const again = target.generate(turned, { native: false }).files.map((draft) => renderFile(name, draft));
      expect(compare(name, again, new Map(rendered.map(({ path, text }) => [path, text])))).toEqual([]);
    });

    test("writes each path once", () => {
      expect(new Set(rendered.map(({ path }) => path)).size).toBe(rendered.length);
    });
  },
);
