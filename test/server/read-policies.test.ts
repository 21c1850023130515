import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { PolicyFile } from "../../src/policy/parse-cache.ts";
import { readPolicyDirectory, scanPolicyDirectory } from "../../src/server/read-policies.ts";

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "sallyport-read-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function put(path: string, text: string): void {
  mkdirSync(join(dir, path, ".."), { recursive: true });
  writeFileSync(join(dir, path), text);
}

/** As commands read a directory, and as a server does. */
const WAYS: readonly (readonly [string, (directory: string) => Promise<readonly PolicyFile[]>])[] = [
  ["a command", readPolicyDirectory],
  ["a server", async (directory) => (await scanPolicyDirectory(directory)).files],
];

async function read(filesOf: (typeof WAYS)[number][1]): Promise<[string, string][]> {
  return (await filesOf(dir)).map(({ path, bytes }) => [path, Buffer.from(bytes).toString()]);
}

describe.each(WAYS)("a policy directory, for %s,", (_, filesOf) => {
  test("gives its YAML files by path, sorted, whatever else lies about", async () => {
    put("b.yaml", "b");
    put("a.yml", "a");
    put("payments/x.yaml", "x");
    put("payments/deep/y.yaml", "y");
    put("readme.md", "no");
    put(".hidden.yaml", "no");
    put(".git/config.yaml", "no");
    put("a.yaml.bak", "no");
    expect(await read(filesOf)).toEqual([
      ["a.yml", "a"],
      ["b.yaml", "b"],
      ["payments/deep/y.yaml", "y"],
      ["payments/x.yaml", "x"],
    ]);
  });

  test("that is missing is an error", async () => {
    await expect(filesOf(join(dir, "no"))).rejects.toThrow(/ENOENT/);
  });

  test("tells what cannot be read as a file that cannot be, and reads the rest", async () => {
    put("a.yaml", "a");
    put("payments/b.yaml", "b");
    symlinkSync("nowhere", join(dir, "payments", "gone.yaml"));
    symlinkSync("self.yaml", join(dir, "payments", "self.yaml"));
    symlinkSync(dir, join(dir, "loop"));
    const files = await filesOf(dir);
    const told = files.flatMap(({ path, unreadable }) => (unreadable === undefined ? [] : [[path, unreadable]]));
    expect(told).toContainEqual(["payments/gone.yaml", "ENOENT: no such file or directory"]);
    expect(told).toContainEqual(["payments/self.yaml", "ELOOP: too many symbolic links encountered"]);
    expect(told.some(([path, why]) => path?.startsWith("loop/") && why?.includes("16 directories deep"))).toBe(true);
    expect(
      files.filter(({ path }) => ["a.yaml", "payments/b.yaml"].includes(path)).map(({ unreadable }) => unreadable),
    ).toEqual([undefined, undefined]);
  });

  test("is not made endless by links that lead back more than once", async () => {
    put("payments/b.yaml", "b");
    for (const name of ["one", "two", "three"]) symlinkSync(join(dir, "payments"), join(dir, "payments", name));
    const files = await filesOf(dir);
    expect(files.some(({ unreadable }) => unreadable?.includes("more than 1000 directories"))).toBe(true);
    expect(files.length).toBeLessThan(10_000);
  });

  test("gives of a file that is too large no more than shows it", async () => {
    put("payments/b.yaml", "# a comment\n".repeat(9_000_000));
    const [file] = await filesOf(dir);
    expect(file?.bytes.length).toBe(1024 * 1024 + 1);
  });
});

/** Lays a version of a ConfigMap down as the kubelet does: a hidden directory, then an atomic swap of `..data`. */
function mountVersion(at: string, version: string, files: Record<string, string>): void {
  mkdirSync(join(dir, at, `..${version}`), { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, at, `..${version}`, name), text);
  symlinkSync(`..${version}`, join(dir, at, "..data_tmp"));
  renameSync(join(dir, at, "..data_tmp"), join(dir, at, "..data"));
  for (const name of Object.keys(files)) {
    rmSync(join(dir, at, name), { force: true });
    symlinkSync(join("..data", name), join(dir, at, name));
  }
}

describe.each(WAYS)("a mounted ConfigMap, for %s,", (_, filesOf) => {
  test("gives each file once, by its plain name, before and after a swap", async () => {
    mountVersion(".", "2026_1", { "a.yaml": "a1", "b.yaml": "b1" });
    expect(await read(filesOf)).toEqual([
      ["a.yaml", "a1"],
      ["b.yaml", "b1"],
    ]);
    mountVersion(".", "2026_2", { "a.yaml": "a2", "b.yaml": "b2" });
    expect(await read(filesOf)).toEqual([
      ["a.yaml", "a2"],
      ["b.yaml", "b2"],
    ]);
  });

  test("may be mounted for one namespace beside others", async () => {
    put("root.yaml", "r");
    mountVersion("payments", "1", { "p.yaml": "p1" });
    expect(await read(filesOf)).toEqual([
      ["payments/p.yaml", "p1"],
      ["root.yaml", "r"],
    ]);
    expect((await scanPolicyDirectory(dir)).directories).toEqual([dir, join(dir, "payments")]);
  });

  test("never mixes two versions, whenever the swap comes", async () => {
    const files = (n: number) => Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`${i}.yaml`, String(n)]));
    mountVersion(".", "0", files(0));
    const seen = new Set<string>();
    for (let n = 1; n <= 60; n += 1) {
      const reading = read(filesOf);
      for (let turn = 0; turn < n % 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      mountVersion(".", String(n), files(n));
      // The kubelet removes the old version, sooner or later.
      if (n % 2 === 1) rmSync(join(dir, `..${n - 1}`), { recursive: true });
      const versions = new Set((await reading).map(([, text]) => text));
      expect([...versions]).toHaveLength(1);
      seen.add([...versions][0] === String(n) ? "new" : "old");
    }
    expect([...seen].sort()).toEqual(["new", "old"]);
  });
});
