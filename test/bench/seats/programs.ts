import { execFile, spawnSync } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { findEnvoy } from "../../../src/cli/demo/envoy-binary.ts";

const run = promisify(execFile);
const SOURCES = join(import.meta.dirname, "go");
const BUILT = resolve(import.meta.dirname, "../../../.cache/bench-seats");
const GO = { ...process.env, GOFLAGS: "-buildvcs=false -mod=readonly" };

/** The programs that are not ours. */
export interface Programs {
  readonly envoy: string;
  readonly fortio: string;
  /** The bare grpc-go authorizer. */
  readonly grpcGo: string;
  readonly versions: {
    readonly envoy: string;
    readonly fortio: string;
    readonly "grpc-go": string;
    readonly go: string;
  };
}

/** Builds the Go programs (Go does nothing where nothing changed) and finds Envoy. A sentence where there is no Go. */
export async function findPrograms(signal: AbortSignal, progress: (step: string) => void): Promise<Programs | string> {
  if (spawnSync("go", ["version"], { stdio: "ignore" }).status !== 0) return "Go is not on the PATH";
  await mkdir(BUILT, { recursive: true });
  const go = async (...args: readonly string[]): Promise<string> =>
    (await run("go", args, { cwd: SOURCES, env: GO, signal })).stdout.trim();
  const build = async (name: string, source: string): Promise<string> => {
    progress(`building ${name}`);
    await go("build", "-o", join(BUILT, name), source);
    return join(BUILT, name);
  };
  const fortio = await build("fortio", "fortio.org/fortio");
  const grpcGo = await build("authorizer", "./authorizer");
  const envoy = await findEnvoy(undefined, signal);
  const envoyVersion = (await run(envoy, ["--version"], { signal })).stdout;
  return {
    envoy,
    fortio,
    grpcGo,
    versions: {
      envoy: /\/(\d+\.\d+\.\d+[^/]*)\//.exec(envoyVersion)?.[1] ?? "unknown",
      fortio: await go("list", "-m", "-f", "{{.Version}}", "fortio.org/fortio"),
      "grpc-go": await go("list", "-m", "-f", "{{.Version}}", "google.golang.org/grpc"),
      go: await go("env", "GOVERSION"),
    },
  };
}
