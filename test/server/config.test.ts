import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ConfigSources, readConfig, SETTINGS } from "../../src/cli/config.ts";
import { parseDuration, parseSize } from "../../src/cli/config-settings.ts";
import { serverOptions } from "../../src/cli/serve.ts";
import { formatListenAddress, isLocal, parseListenAddress } from "../../src/server/address.ts";

let dir = "";
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "sallyport-config-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function withFile(text: string, rest: Partial<ConfigSources> = {}) {
  const file = join(dir, "config.yaml");
  writeFileSync(file, text);
  return readConfig({ file, env: {}, flags: {}, ...rest });
}

function problems(result: ReturnType<typeof readConfig>): string {
  return result.ok ? "" : result.problems.join("\n");
}

describe("where a setting comes from", () => {
  test("flags win over variables, variables over the file, the file over the standard", () => {
    const text = "audit:\n  maxFiles: 1\n  maxSize: 1MiB\n  to: none\n";
    const env = { SALLYPORT_AUDIT_MAX_FILES: "2", SALLYPORT_AUDIT_MAX_SIZE: "2MiB" };
    const result = withFile(text, { env, flags: { "--audit-max-files": "3" } });
    expect(result).toMatchObject({
      ok: true,
      config: { audit: { maxFiles: 3, maxSize: "2MiB", to: ["none"] }, log: { level: "info" } },
    });
  });

  test("every setting can be given in all three ways", () => {
    const other: Record<string, string> = {
      "--policies": "/p",
      "--policy-source": "kubernetes",
      "--kubernetes-kubeconfig": "/k",
      "--kubernetes-root-namespace": "egress",
      "--listen": "unix:/s",
      "--allowed-callers": "spiffe://a/b",
      "--tls-certificate": "c",
      "--tls-key": "k",
      "--tls-client-ca": "a",
      "--tls-poll": "7s",
      "--tls-workload-api": "unix:/a",
      "--admin": "none",
      "--probes": "0.0.0.0:9193",
      "--metrics-readers": "spiffe://a/b",
      "--audit-to": "/x",
      "--audit-mode": "strict",
      "--audit-max-size": "7MiB",
      "--audit-max-files": "7",
      "--audit-key": "k.pem",
      "--audit-require": "any",
      "--audit-max-age": "7h",
      "--audit-keep": "90d",
      "--audit-compress": "none",
      "--audit-headers-include": "user-agent",
      "--audit-headers-exclude": "x-*",
      "--audit-stdout-shape": "ocsf",
      "--audit-otlp-endpoint": "https://collector:4318/v1/logs",
      "--audit-otlp-shape": "ocsf",
      "--audit-kafka-brokers": "kafka:9092",
      "--audit-kafka-topic": "t",
      "--audit-kafka-shape": "ocsf",
      "--audit-kafka-ca": "a",
      "--audit-kafka-certificate": "c",
      "--audit-kafka-key": "k",
      "--audit-kafka-mechanism": "PLAIN",
      "--audit-kafka-username": "u",
      "--audit-kafka-password-file": "p",
      "--bundle-key": "b",
      "--exceptions-lead": "30d",
      "--overload-max-wait": "7s",
      "--overload-max-in-flight": "7",
      "--cache-max-size": "7MiB",
      "--reload-poll": "7s",
      "--reload-deadline": "7s",
      "--drain-wait": "7s",
      "--drain-limit": "7s",
      "--traces-to": "otlp",
      "--traces-otlp-endpoint": "https://collector:4318/v1/traces",
      "--traces-ratio": "0.25",
      "--log-level": "debug",
      "--state": "/s",
    };
    expect(SETTINGS.map(({ flag }) => flag).sort()).toEqual(Object.keys(other).sort());
    const tls = {
      "--tls-certificate": "c",
      "--tls-key": "k",
      "--tls-client-ca": "a",
      "--allowed-callers": "spiffe://a/b",
    };
    const kafka = {
      "--audit-kafka-certificate": "c",
      "--audit-kafka-key": "k",
      "--audit-kafka-username": "u",
      "--audit-kafka-password-file": "p",
    };
    const standard = readConfig({ file: null, env: {}, flags: {} });
    for (const { flag, variable, path } of SETTINGS) {
      const value = other[flag] ?? "";
      const callers = { "--allowed-callers": "spiffe://a/b" };
      const needed = flag === "--tls-workload-api" ? callers : flag in tls ? tls : flag in kafka ? kafka : {};
      const byFlag = readConfig({ file: null, env: {}, flags: { ...needed, [flag]: value } });
      const byVariable = readConfig({
        file: null,
        env: { [variable]: value },
        flags: { ...needed, [flag]: undefined as never },
      });
      const at = (result: typeof byFlag) =>
        result.ok
          ? path.reduce((each: unknown, key) => Reflect.get(each as object, key), result.config)
          : problems(result);
      expect(String(at(byFlag)), flag).toBe(value);
      expect(String(at(byVariable)), variable).toBe(value);
      expect(String(at(standard)), flag).not.toBe(value);
    }
  });

  test("lists are repeated flags, comma-separated variables, sequences in the file", () => {
    const listen = ["unix:/a", "127.0.0.1:1"];
    const results = [
      readConfig({ file: null, env: {}, flags: { "--listen": listen } }),
      readConfig({ file: null, env: { SALLYPORT_LISTEN: "unix:/a, 127.0.0.1:1" }, flags: {} }),
      withFile("listen: [unix:/a, 127.0.0.1:1]\n"),
    ];
    for (const result of results) expect(result).toMatchObject({ ok: true, config: { listen } });
  });
});

describe("what is refused", () => {
  test("unknown keys, with what was probably meant, all at once", () => {
    const text = problems(withFile("polices: x\naudit: {maxFile: 1}\nzzzzzzzz: 1\n"));
    expect(text).toContain("polices is not a setting; did you mean policies?");
    expect(text).toContain("audit.maxFile is not a setting; did you mean maxFiles?");
    expect(text).toContain("zzzzzzzz is not a setting; there are policies,");
  });

  test("unknown variables, but not those that Kubernetes sets beside a Service of our name", () => {
    const env = {
      SALLYPORT_POLICY: "x",
      SALLYPORT_SERVICE_HOST: "10.0.0.1",
      SALLYPORT_PORT: "tcp://10.0.0.1:9191",
      SALLYPORT_PORT_9191_TCP_ADDR: "10.0.0.1",
      SALLYPORT_ADMIN_SERVICE_PORT_HTTP: "80",
    };
    expect(problems(readConfig({ file: null, env, flags: {} }))).toBe(
      "the environment variable SALLYPORT_POLICY is unknown; did you mean SALLYPORT_POLICIES?",
    );
  });

  test("values that mean nothing", () => {
    const wrong = [
      "listen: [localhost]",
      "listen: []",
      "admin: 9192",
      "cache: {maxSize: 1GB}",
      "reload: {poll: 5}",
      "log: {level: loud}",
      "allowedCallers: [admin]",
      "audit: [x]",
      "- 1",
      "a: 1\na: 2",
      "a: &x 1\nb: *x",
      "audit: {maxFiles: -1}",
    ];
    for (const text of wrong) expect(withFile(text).ok, text).toBe(false);
  });

  test("half of an mTLS listener, or one that would admit nobody", () => {
    expect(problems(withFile("tls: {certificate: a}"))).toContain("belong together");
    expect(problems(withFile("tls: {certificate: a, key: b, clientCa: c}"))).toContain("nobody is listed");
    expect(problems(withFile("tls: {workloadApi: unix:///run/a.sock}"))).toContain("nobody is listed");
    expect(problems(withFile("tls: {workloadApi: unix:///run/a.sock, key: b}"))).toContain("not both");
    expect(problems(withFile("tls: {workloadApi: /run/a.sock}"))).toContain("unix:///path");
  });

  test("a file that is not there, if it was named", () => {
    expect(problems(readConfig({ file: join(dir, "no.yaml"), env: {}, flags: {} }))).toContain("cannot be read");
  });
});

test("sizes, durations and addresses", () => {
  expect(["250ms", "5s", "2m", "1h", "0s", "5", "-1s", "1.5s", "90d", ""].map(parseDuration)).toEqual([
    250,
    5000,
    120_000,
    3_600_000,
    0,
    null,
    null,
    null,
    7_776_000_000,
    null,
  ]);
  expect(["1024", "64KiB", "100MiB", "2GiB", "0", "1KB", "", "x"].map(parseSize)).toEqual([
    1024,
    65_536,
    104_857_600,
    2_147_483_648,
    0,
    null,
    null,
    null,
  ]);
  const addresses = {
    "127.0.0.1:9191": true,
    "[::1]:1": true,
    "unix:/run/s.sock": true,
    "localhost:80": true,
    "0.0.0.0:1": false,
    "[::]:1": false,
    "10.1.2.3:1": false,
    "[::ffff:127.0.0.1]:1": true,
  };
  for (const [text, local] of Object.entries(addresses)) {
    const address = parseListenAddress(text);
    expect(address === null ? null : isLocal(address), text).toBe(local);
  }
  for (const text of [
    "",
    "9191",
    "example.com:80",
    "127.0.0.1",
    "127.0.0.1:65536",
    "127.0.0.1:01",
    "127.1:80",
    "unix:",
    "[::1%lo]:80",
    "http://127.0.0.1:80",
  ])
    expect(parseListenAddress(text), text).toBeNull();
  expect(formatListenAddress({ kind: "tcp", host: "::1", port: 5 })).toBe("[::1]:5");
});

test("the standard configuration makes options a server can start with", () => {
  const read = readConfig({ file: null, env: {}, flags: {} });
  if (!read.ok) throw new Error(problems(read));
  expect(serverOptions(read.config)).toEqual({
    policies: { kind: "directory", path: "./policies" },
    listen: [{ kind: "tcp", host: "127.0.0.1", port: 9191 }],
    tls: null,
    allowedCallers: [],
    metricsReaders: [],
    admin: { kind: "tcp", host: "127.0.0.1", port: 9192 },
    probes: null,
    audit: {
      mode: "batch",
      require: "all",
      sinks: [{ kind: "stdout", shape: "sallyport" }],
      headers: { include: [], exclude: expect.arrayContaining(["*auth*", "*cookie*"]) },
    },
    bundle: { key: null },
    exceptions: { leadMs: 604_800_000 },
    cache: { maxBytes: 67_108_864 },
    reload: { pollMs: 5000, deadlineMs: 60_000 },
    state: null,
    overload: { maxWaitMs: 150, maxInFlight: 1024 },
    traces: null,
    drain: { waitMs: 3000, limitMs: 10_000 },
  });
});

test("docs/configuration.md tells every setting with its flag, variable, standard and description", () => {
  const page = readFileSync(fileURLToPath(new URL("../../docs/configuration.md", import.meta.url)), "utf8");
  for (const { path, flag, variable, standard, description } of SETTINGS) {
    const shown = Array.isArray(standard) ? standard.join(", ") : String(standard);
    expect(page).toContain(
      `| \`${path.join(".")}\` | \`${flag}\` | \`${variable}\` | ${shown === "" ? "none" : `\`${shown}\``} | ${description} |`,
    );
  }
});
