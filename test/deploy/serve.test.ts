import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { freePorts } from "../../src/cli/demo/ports.ts";
import { startChild, waitUntil } from "../../src/cli/demo/process.ts";
import { REPOSITORY, runCli } from "../cli/run-cli.ts";
import { manifestsOf } from "./manifests.ts";
import { layOutPod } from "./pod-files.ts";

test.each(["standard", "with-gateway", "full"])("the server that %s.yaml starts answers its gateway", async (name) => {
  const directory = mkdtempSync(join(tmpdir(), "sallyport-pod-"));
  const [grpc = 0, admin = 0, probes = 0] = await freePorts(3);
  const pod = await layOutPod(manifestsOf(name), directory, { grpc, admin, probes });
  const child = startChild(process.execPath, [join(REPOSITORY, "src/cli/main.ts"), ...pod.args]);
  try {
    const ready = () =>
      fetch(`http://127.0.0.1:${probes}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      );
    await waitUntil("readiness", ready, 60_000, child);
    const files = { ca: pod.ca, cert: pod.gateway.cert, key: pod.gateway.key };
    for (const [file, text] of Object.entries(files)) writeFileSync(join(directory, file), text);
    const certificates = Object.keys(files).flatMap((file) => [`--${file}`, join(directory, file)]);
    const ask = (from: string) =>
      runCli([
        "check",
        from,
        "TLS api.stripe.com",
        "--server",
        `127.0.0.1:${grpc}`,
        ...certificates,
        "--server-id",
        pod.serverId,
      ]);
    const denied = await ask(`spiffe://${pod.serverId.split("/")[2]}/ns/payments/sa/other`);
    expect(denied.stdout + denied.stderr).toContain("DENY");
    if (name === "full") {
      const allowed = await ask("spiffe://corp.example/ns/payments/sa/checkout");
      expect(allowed.stdout + allowed.stderr).toContain("ALLOW");
    }
    await child.stop();
    expect(child.process.exitCode, child.output()).toBe(0);
    expect(readFileSync(join(directory, "var/lib/sallyport/audit.jsonl"), "utf8")).toContain('"effect":"deny"');
  } finally {
    await child.stop();
    rmSync(directory, { recursive: true, force: true });
  }
});
