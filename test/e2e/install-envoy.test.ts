import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { defaultSearch, findEnvoy } from "../../src/cli/demo/envoy-binary.ts";
import { freePorts } from "../../src/cli/demo/ports.ts";
import { accepts, type Child, startChild, waitUntil } from "../../src/cli/demo/process.ts";
import { REPOSITORY } from "../cli/run-cli.ts";

const PAGE = readFileSync(join(REPOSITORY, "docs/install-envoy.md"), "utf8");
const BOOTSTRAP = "/etc/sallyport/envoy/envoy.yaml";

/** What the page has its reader do, in its order: files and commands. */
type Step =
  | { readonly kind: "file"; readonly path: string; readonly text: string }
  | { readonly kind: "command"; readonly text: string; readonly note: string };

const steps = [...PAGE.matchAll(/^```(?:yaml file=(\S+)|sh envoy)\n([\s\S]*?)^```$/gm)].flatMap(
  ([, path, text = ""]): Step[] =>
    path === undefined ? text.split("\n").filter(Boolean).map(commandOf) : [{ kind: "file", path, text }],
);

function commandOf(line: string): Step {
  const [, text = line, note = "exit 0"] = /^(.*?)(?:\s+# (exit \d+|prints \S+|stays))?$/.exec(line) ?? [];
  return { kind: "command", text, note };
}

let directory: string;
let ports: readonly number[];
const children: Child[] = [];
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "sallyport-install-"));
  ports = await freePorts(3);
  const program = (name: string, script: string) => {
    writeFileSync(join(directory, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(directory, name), 0o755);
  };
  program("sallyport", `exec "${process.execPath}" "${REPOSITORY}/src/cli/main.ts" "$@"`);
  program("envoy", `exec "${await findEnvoy(defaultSearch())}" "$@"`);
}, 120_000);
afterAll(async () => {
  for (const each of children.reverse()) await each.stop();
  rmSync(directory, { recursive: true, force: true });
}, 30_000);

/** Paths below a directory of the test's, ports that are free, and the name of the authorizer as DNS would have it. */
function here(text: string): string {
  const [server = 0, gateway = 0, admin = 0] = ports;
  return (
    text
      .replaceAll(/\/(etc|var\/log|run)\/sallyport/g, (path) => join(directory, path))
      .replaceAll("sallyport.sallyport-system.svc.cluster.local", "127.0.0.1")
      .replaceAll("9191", String(server))
      .replaceAll("16129", String(gateway))
      .replaceAll(/(?<![\d.])0\.0\.0\.0(?![/\d])/g, "127.0.0.1")
      // Standard output of a child is a socket here, which cannot be opened by name.
      .replaceAll("/dev/stdout", join(directory, "access.log"))
      .replace(/^(allowedCallers:)/m, `admin: 127.0.0.1:${admin}\n$1`)
  );
}

function type(command: string): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const env = { ...process.env, PATH: `${directory}${delimiter}${process.env.PATH}` };
  return new Promise((resolve) => {
    execFile("bash", ["-c", command], { cwd: directory, env, timeout: 60_000 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr }),
    );
  });
}

async function start(command: string): Promise<void> {
  const [program = "", ...args] = command.split(" ");
  const child = startChild(join(directory, program), args);
  children.push(child);
  const [, gateway = 0, admin = 0] = ports;
  const isReady = () =>
    program === "envoy"
      ? accepts(gateway)
      : fetch(`http://127.0.0.1:${admin}/readyz`).then(
          ({ ok }) => ok,
          () => false,
        );
  await waitUntil(program, isReady, 60_000, child);
}

it("each step of docs/install-envoy.md works, in its order", async () => {
  expect(steps.filter(({ kind }) => kind === "command").length).toBeGreaterThan(10);
  for (const step of steps) {
    if (step.kind === "file") {
      mkdirSync(dirname(here(step.path)), { recursive: true });
      writeFileSync(here(step.path), here(step.text));
      continue;
    }
    const command = here(step.text);
    if (step.note === "stays") {
      await start(command);
      continue;
    }
    const [verb, what] = step.note.split(" ");
    const { code, stdout, stderr } = await type(command);
    if (verb === "prints") expect(stdout.trim(), stderr).toBe(what);
    else expect(code, `${command}\n${stdout}${stderr}`).toBe(Number(what));
    if (step.text.startsWith("sallyport generate")) {
      writeFileSync(here(BOOTSTRAP), here(readFileSync(here(BOOTSTRAP), "utf8")));
    }
  }
  const trail = readFileSync(here("/var/log/sallyport/audit.jsonl"), "utf8");
  expect(trail).toContain('"reason":"no-matching-rule"');
  // Nobody is there outside: that it was let through shows in what Envoy says then.
  const asked = steps.find((step) => step.kind === "command" && step.text.startsWith("curl"));
  const post = here(asked?.kind === "command" ? asked.text : "").replace("curl ", "curl -X POST ");
  expect((await type(post)).stdout.trim()).toBe("503");
}, 180_000);
