import assert from "node:assert/strict";
import { chmod, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { REPOSITORY } from "../../cli/run-cli.ts";
import type { Check } from "../check.ts";
import { type Cluster, startCluster } from "../cluster.ts";
import { applied, namespace } from "../objects.ts";
import { run } from "../run.ts";
import type { Tools } from "../tools.ts";

/** A command of a page, and the exit code that its comment promises. */
interface Command {
  readonly text: string;
  readonly exit: number;
}

const TEAMS = ["ci", "data", "ml", "payments", "platform", "support"];
const LAST = "\n## Taking it away\n";

/** Commands of the pages about installing and upgrading, one after the other as a reader would type them, in a cluster of their own. */
export const docs: readonly Check[] = [
  {
    name: "docs-install-upgrade",
    async run(_, tools) {
      const cluster = await startCluster(tools);
      const directory = await mkdtemp(join(tmpdir(), "sallyport-docs-"));
      try {
        const [install = "", away = ""] = (await page("install-istio.md")).split(LAST);
        const upgrade = await page("upgrade.md");
        await applied(
          cluster,
          TEAMS.map((name) => namespace(name)),
        );
        const crds = await cluster.kubectl(["apply", "--server-side", `--filename=${tools.istioCrds}`]);
        assert.equal(crds.code, 0, crds.stderr);
        const type = await shell(directory, cluster, tools);
        for (const command of commandsOf(install)) await type(command);
        const chosen =
          "tls: {source: istioAgent}\nguards: generate\ngateway: {enabled: true}\nimage: {repository: example.com/sallyport}\n";
        const policies = await readFile(join(directory, "policies.values.yaml"), "utf8");
        await writeFile(join(directory, "values.yaml"), `${policies}\n${chosen}`);
        for (const command of commandsOf(upgrade)) await type(command);
        for (const command of commandsOf(away)) await type(command);
        const left = await cluster.kubectl([
          "get",
          "serviceentries,networkpolicies,statefulsets,deployments",
          "--all-namespaces",
          "--output=name",
        ]);
        assert.equal(left.stdout, "", "taking it away leaves something");
        return `${[install, upgrade, away].flatMap(commandsOf).length} commands`;
      } finally {
        await cluster.close();
        await rm(directory, { recursive: true, force: true });
      }
    },
  },
];

function page(name: string): Promise<string> {
  return readFile(join(REPOSITORY, "docs", name), "utf8");
}

function commandsOf(text: string): readonly Command[] {
  return [...text.matchAll(/^```sh cluster\n([\s\S]*?)^```$/gm)].flatMap(([, block = ""]) =>
    block
      .split("\n")
      .filter((line) => line !== "")
      .map((line): Command => {
        const [, command = line, exit = "0"] = /^(.*?)(?:\s+# exit (\d+))?$/.exec(line) ?? [];
        return { text: command, exit: Number(exit) };
      }),
  );
}

/** A directory as the repository's root would be, with the programs of the pages on the path. */
async function shell(directory: string, cluster: Cluster, tools: Tools): Promise<(command: Command) => Promise<void>> {
  for (const name of ["policies", "deploy"]) await symlink(join(REPOSITORY, name), join(directory, name));
  const shim = join(directory, "sallyport");
  await writeFile(shim, `#!/bin/sh\nexec "${process.execPath}" "${REPOSITORY}/src/cli/main.ts" "$@"\n`);
  await chmod(shim, 0o755);
  const path = [directory, dirname(tools.kubectl), process.env.PATH].join(delimiter);
  const env = { PATH: path, HOME: directory, KUBECONFIG: cluster.kubeconfig };
  return async ({ text, exit }) => {
    // A shell that is ended leaves its programs behind; `timeout` ends them all.
    const { code, stdout, stderr } = await run("timeout", ["100", "sh", "-c", text], { cwd: directory, env });
    assert.equal(code, exit, `${text}\nended with ${code}\n${stdout.slice(-2000)}${stderr.slice(-2000)}`);
  };
}
