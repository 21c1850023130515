import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const SOURCES = join(import.meta.dirname, "tools");
const MESH_SOURCES = join(import.meta.dirname, "../mesh/bench");
const BIN = join(import.meta.dirname, "bin");
const STAMP = join(BIN, "digest");
const GO = { ...process.env, GOFLAGS: "-buildvcs=false" };
const PACKAGES = ["k8s.io/kubernetes/cmd/kube-apiserver", "k8s.io/kubernetes/cmd/kubectl", "helm.sh/helm/v3/cmd/helm"];

/** Programs of a cluster, and the schemas of what Istio adds to one. All are files. */
export interface Tools {
  readonly apiServer: string;
  readonly kubectl: string;
  readonly helm: string;
  readonly etcd: string;
  readonly istioCrds: string;
}

/** Builds what is built from Go modules if their versions changed. A sentence where that cannot be. */
export function openTools(progress: (step: string) => void): Tools | string {
  const etcd = spawnSync("sh", ["-c", "command -v etcd"], { encoding: "utf8" }).stdout.trim();
  if (etcd === "") return "etcd is not on the PATH (Debian's package etcd-server has it)";
  if (spawnSync("go", ["version"], { stdio: "ignore" }).status !== 0) return "Go is not on the PATH";
  if (!isBuilt()) {
    progress("building Kubernetes and Helm (minutes, the first time)");
    if (go(["mod", "download"], SOURCES).status !== 0) return "the sources of Kubernetes could not be downloaded";
    build();
  }
  // The version that the mesh bench judges with.
  const istio = go(["mod", "download", "-json", "istio.io/api"], MESH_SOURCES);
  if (istio.status !== 0) return "the schemas of Istio could not be downloaded";
  return {
    apiServer: join(BIN, "kube-apiserver"),
    kubectl: join(BIN, "kubectl"),
    helm: join(BIN, "helm"),
    etcd,
    istioCrds: join(JSON.parse(istio.stdout).Dir, "kubernetes/customresourcedefinitions.gen.yaml"),
  };
}

function isBuilt(): boolean {
  const programs = PACKAGES.map((each) => join(BIN, each.split("/").at(-1) ?? ""));
  return programs.every(existsSync) && existsSync(STAMP) && readFileSync(STAMP, "utf8") === digest();
}

function digest(): string {
  const hash = createHash("sha256");
  for (const name of ["go.mod", "go.sum"]) hash.update(readFileSync(join(SOURCES, name)));
  return hash.update(linkerFlags()).digest("hex");
}

function build(): void {
  mkdirSync(BIN, { recursive: true });
  const args = ["build", "-p", "2", "-ldflags", linkerFlags(), "-o", `${BIN}/`, ...PACKAGES];
  const { status, stderr } = go(args, SOURCES);
  if (status !== 0) throw new Error(`go build failed: ${stderr}`);
  writeFileSync(STAMP, digest());
}

/** Versions are said by whoever links, as the projects' own builds do; unsaid, Helm takes every cluster for a very old one. */
function linkerFlags(): string {
  const text = readFileSync(join(SOURCES, "go.mod"), "utf8");
  const [, kubernetes = "", minor = ""] = /^\tk8s\.io\/kubernetes (v1\.(\d+)\.\d+)/m.exec(text) ?? [];
  const [, helm = ""] = /^\thelm\.sh\/helm\/v3 (v\S+)/m.exec(text) ?? [];
  const said = {
    "k8s.io/component-base/version.gitVersion": kubernetes,
    "helm.sh/helm/v3/internal/version.version": helm,
    ...Object.fromEntries(
      ["chartutil", "lint/rules"].flatMap((name) => [
        [`helm.sh/helm/v3/pkg/${name}.k8sVersionMajor`, "1"],
        [`helm.sh/helm/v3/pkg/${name}.k8sVersionMinor`, minor],
      ]),
    ),
  };
  return ["-s -w", ...Object.entries(said).map(([name, value]) => `-X ${name}=${value}`)].join(" ");
}

function go(args: readonly string[], cwd: string) {
  return spawnSync("go", args, { cwd, env: GO, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
}
