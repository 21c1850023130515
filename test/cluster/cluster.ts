import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAuthority } from "../../src/cli/demo/pki.ts";
import { freePorts } from "../../src/cli/demo/ports.ts";
import { type Child, startChild, waitUntil } from "../../src/cli/demo/process.ts";
import { type Ran, run } from "./run.ts";
import type { Tools } from "./tools.ts";

const START_LIMIT_MS = 120_000;
const START_TRIES = 3;

/**
 * A real kube-apiserver over a real etcd, on loopback, with RBAC and the standard admission plugins. Neither controllers nor
 * a scheduler nor a kubelet run: objects are judged, stored and watched, and nothing acts on them.
 */
export interface Cluster {
  readonly url: string;
  /** Where etcd listens; `POST /v3/kv/compaction` forgets old revisions. */
  readonly etcdUrl: string;
  /** A kubeconfig of a member of `system:masters`. */
  readonly kubeconfig: string;
  /** Runs kubectl as that member, or with another kubeconfig; `--as` and `--as-group` make somebody else of them. */
  kubectl(args: readonly string[], options?: { readonly stdin?: string; readonly kubeconfig?: string }): Promise<Ran>;
  /** A kubeconfig of a service account that is there, with a token that the API server made. */
  serviceAccount(namespace: string, name: string): Promise<string>;
  /** Ends the API server; what is in etcd stays. */
  stopApiServer(): Promise<void>;
  /** Starts it again, where it was. */
  startApiServer(): Promise<void>;
  /** Ends everything and removes its files. */
  close(): Promise<void>;
}

/** Starts one. @throws what a program said that would not start */
export async function startCluster(tools: Tools): Promise<Cluster> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await tryToStart(tools);
    } catch (error) {
      // Somebody else may have taken a port that was free a moment ago.
      if (tries === START_TRIES || !/address already in use/.test(String(error))) throw error;
    }
  }
}

async function tryToStart(tools: Tools): Promise<Cluster> {
  const directory = await mkdtemp(join(tmpdir(), "sallyport-cluster-"));
  const [client = 0, peer = 0, secure = 0] = await freePorts(3);
  const etcdUrl = `http://127.0.0.1:${client}`;
  const url = `https://127.0.0.1:${secure}`;
  const token = randomBytes(24).toString("hex");
  const caFile = await writeSecrets(directory, token);
  const kubeconfig = await writeKubeconfig(join(directory, "kubeconfig"), { url, caFile, token });
  const etcd = startChild(tools.etcd, etcdFlags(directory, etcdUrl, `http://127.0.0.1:${peer}`));
  let apiServer: Child | null = null;

  const kubectl: Cluster["kubectl"] = (args, options = {}) =>
    run(tools.kubectl, [`--kubeconfig=${options.kubeconfig ?? kubeconfig}`, ...args], {
      // No user's own settings or cache.
      env: { PATH: process.env.PATH, HOME: directory },
      ...(options.stdin === undefined ? {} : { stdin: options.stdin }),
    });
  const answers = async (page: string): Promise<boolean> => (await kubectl(["get", "--raw", page])).code === 0;
  const stopApiServer = async (): Promise<void> => {
    await apiServer?.stop();
    apiServer = null;
  };
  const startApiServer = async (): Promise<void> => {
    const child = startChild(tools.apiServer, apiServerFlags(directory, etcdUrl, secure));
    apiServer = child;
    await waitUntil("the API server", () => answers("/readyz"), START_LIMIT_MS, child);
  };
  const close = async (): Promise<void> => {
    await stopApiServer();
    await etcd.stop();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await waitUntil("etcd", () => isHealthy(etcdUrl), START_LIMIT_MS, etcd);
    await startApiServer();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    url,
    etcdUrl,
    kubeconfig,
    kubectl,
    stopApiServer,
    startApiServer,
    close,
    async serviceAccount(namespace, name) {
      const { code, stdout, stderr } = await kubectl(["create", "token", name, "--namespace", namespace]);
      if (code !== 0) throw new Error(`no token for ${namespace}/${name}: ${stderr}`);
      const file = join(directory, `kubeconfig-${namespace}-${name}`);
      return writeKubeconfig(file, { url, caFile, token: stdout.trim() });
    },
  };
}

/** The server's certificate, the key of service accounts' tokens, and the administrator's token. Returns the file of the roots. */
async function writeSecrets(directory: string, token: string): Promise<string> {
  const authority = await createAuthority("CN=cluster");
  const server = await authority.issue([{ type: "ip", value: "127.0.0.1" }]);
  const accounts = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const caFile = join(directory, "ca.crt");
  const files: Readonly<Record<string, string>> = {
    "ca.crt": authority.cert,
    "server.crt": server.cert,
    "server.key": server.key,
    "accounts.key": accounts.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    "accounts.pub": accounts.publicKey.export({ type: "spki", format: "pem" }).toString(),
    "tokens.csv": `${token},administrator,1,system:masters\n`,
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text, { mode: 0o600 });
  return caFile;
}

async function writeKubeconfig(
  file: string,
  { url, caFile, token }: { readonly url: string; readonly caFile: string; readonly token: string },
): Promise<string> {
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "cluster", cluster: { server: url, "certificate-authority": caFile } }],
    users: [{ name: "user", user: { token } }],
    contexts: [{ name: "context", context: { cluster: "cluster", user: "user" } }],
    "current-context": "context",
  };
  await writeFile(file, JSON.stringify(config), { mode: 0o600 });
  return file;
}

function etcdFlags(directory: string, client: string, peer: string): readonly string[] {
  return [
    ...["--name=cluster", `--data-dir=${join(directory, "etcd")}`],
    ...[`--listen-client-urls=${client}`, `--advertise-client-urls=${client}`],
    ...[`--listen-peer-urls=${peer}`, `--initial-advertise-peer-urls=${peer}`, `--initial-cluster=cluster=${peer}`],
  ];
}

function apiServerFlags(directory: string, etcdUrl: string, port: number): readonly string[] {
  const file = (name: string): string => join(directory, name);
  return [
    `--etcd-servers=${etcdUrl}`,
    ...["--bind-address=127.0.0.1", `--secure-port=${port}`, "--endpoint-reconciler-type=none"],
    ...[`--tls-cert-file=${file("server.crt")}`, `--tls-private-key-file=${file("server.key")}`],
    ...[`--token-auth-file=${file("tokens.csv")}`, "--anonymous-auth=false", "--authorization-mode=RBAC"],
    ...[
      "--service-account-issuer=https://kubernetes.default.svc",
      `--service-account-key-file=${file("accounts.pub")}`,
    ],
    `--service-account-signing-key-file=${file("accounts.key")}`,
    "--service-cluster-ip-range=10.96.0.0/16",
  ];
}

async function isHealthy(etcdUrl: string): Promise<boolean> {
  try {
    return (await fetch(`${etcdUrl}/health`)).ok;
  } catch {
    return false;
  }
}
