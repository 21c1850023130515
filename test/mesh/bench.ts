import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const HERE = import.meta.dirname;
const BIN = join(HERE, "bin");
const PROGRAM = join(BIN, "meshbench");
const GO = { ...process.env, GOFLAGS: "-buildvcs=false -mod=mod" };
const CALL_LIMIT_MS = 120_000;

/** The real code of Istio, as a program. */
export interface Bench {
  /** What the API server's schemas, the validating webhook and `istioctl analyze` find in a directory of YAML. */
  validate(directory: string): Promise<readonly Finding[]>;
  /** What istiod would send a Pod's Envoy, written to `out/envoy.json` for a vanilla Envoy. @throws what it said */
  translate(request: Translation): Promise<string>;
}

export interface Finding {
  readonly level: "error" | "warning" | "info";
  readonly stage: string;
  readonly resource: string;
  readonly message: string;
}

export interface Translation {
  readonly directory: string;
  /** `namespace/name`. */
  readonly pod: string;
  readonly type: "router" | "sidecar";
  readonly out: string;
  /** SDS name → `cert:FILE,key:FILE` or `ca:FILE`. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Address of an endpoint → where it is in the laboratory. Whatever is not named leads nowhere. */
  readonly addresses: Readonly<Record<string, string>>;
  /** Name of a listener → where it listens. */
  readonly listeners: Readonly<Record<string, string>>;
}

/** Builds the program if its sources changed. A sentence where that cannot be: no Go, or Istio's sources cannot be had. */
export function openBench(progress: (step: string) => void): Bench | string {
  if (spawnSync("go", ["version"], { stdio: "ignore" }).status !== 0) return "Go is not on the PATH";
  if (!isBuilt()) {
    progress("building Istio's code (minutes, the first time)");
    if (!download()) return "Istio's sources could not be downloaded";
    build();
  }
  const crds = join(moduleDirectory(), "manifests/charts/base/files/crd-all.gen.yaml");
  return {
    async validate(directory) {
      const { code, stdout, stderr } = await run(["validate", "-json", "-crds", crds, directory]);
      if (code !== 0 && code !== 1) throw new Error(`validate ended with ${code}: ${stderr}`);
      return JSON.parse(stdout);
    },
    async translate({ directory, pod, type, out, secrets, addresses, listeners }) {
      const flags = (name: string, values: Readonly<Record<string, string>>): string[] =>
        Object.entries(values).flatMap(([key, value]) => [`-${name}`, `${key}=${value}`]);
      const { code, stderr } = await run([
        ...["translate", "-pod", pod, "-type", type, "-out", out],
        ...(type === "sidecar" ? ["-origdst-proxy"] : []),
        ...flags("secret", secrets),
        ...flags("map", addresses),
        ...flags("listen", listeners),
        directory,
      ]);
      if (code !== 0) throw new Error(`translate for ${pod} ended with ${code}: ${stderr}`);
      return join(out, "envoy.json");
    },
  };
}

const SOURCES = join(HERE, "bench");
const STAMP = join(BIN, "digest");

function isBuilt(): boolean {
  return existsSync(PROGRAM) && existsSync(STAMP) && readFileSync(STAMP, "utf8") === digest();
}

function digest(): string {
  const hash = createHash("sha256");
  for (const name of readdirSync(SOURCES).sort()) hash.update(name).update(readFileSync(join(SOURCES, name)));
  return hash.digest("hex");
}

function download(): boolean {
  return (
    spawnSync("go", ["mod", "download", "istio.io/istio"], { cwd: SOURCES, env: GO, stdio: "ignore" }).status === 0
  );
}

function build(): void {
  mkdirSync(BIN, { recursive: true });
  const args = ["build", "-p", "2", "-o", PROGRAM, "."];
  const { status } = spawnSync("go", args, { cwd: SOURCES, env: GO, stdio: "inherit" });
  if (status !== 0) throw new Error("go build failed");
  writeFileSync(STAMP, digest());
}

function moduleDirectory(): string {
  const args = ["list", "-m", "-f", "{{.Dir}}", "istio.io/istio"];
  const { stdout, stderr } = spawnSync("go", args, { cwd: SOURCES, env: GO, encoding: "utf8" });
  const directory = stdout.trim();
  if (directory === "") throw new Error(`Istio's module is not there: ${stderr}`);
  return directory;
}

function run(
  args: readonly string[],
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  // Istio's test environment looks for a checkout by these.
  const env = { ...process.env, REPO_ROOT: BIN, TARGET_OUT: BIN, LOCAL_OUT: BIN };
  return new Promise((resolve, reject) => {
    const child = spawn(PROGRAM, args, { env, stdio: ["ignore", "pipe", "pipe"], timeout: CALL_LIMIT_MS });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}
