import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

const HERE = import.meta.dirname;
const SOURCES = join(HERE, "authorizer");
const BIN = join(HERE, "bin");

/** The load generator and the bare authorizer. */
export interface Programs {
  readonly fortio: string;
  readonly authorizer: string;
  readonly versions: Readonly<Record<string, string>>;
}

/** Builds them where they are not there. @throws without Go, or where its modules cannot be had */
export function buildPrograms(): Programs {
  const fortio = join(BIN, "fortio");
  const authorizer = join(BIN, "authorizer");
  for (const [out, what] of [
    [fortio, "fortio.org/fortio"],
    [authorizer, "."],
  ] as const) {
    if (!existsSync(out)) go("build", "-buildvcs=false", "-o", out, what);
  }
  const version = (module: string) => go("list", "-m", "-f", "{{.Version}}", module).replace(/^v/, "");
  return {
    fortio,
    authorizer,
    versions: {
      fortio: version("fortio.org/fortio"),
      "grpc-go": version("google.golang.org/grpc"),
      Go: go("env", "GOVERSION").replace(/^go/, ""),
    },
  };
}

function go(...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync("go", args, { cwd: SOURCES, encoding: "utf8", timeout: 600_000 });
  if (error !== undefined || status !== 0) throw new Error(`go ${args.join(" ")}: ${error?.message ?? stderr}`);
  return stdout.trim();
}
