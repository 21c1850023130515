import { describe, expect, it } from "vitest";
import { SMALL_SET, temporaryDirectory } from "./policy-dir.ts";
import { runCli } from "./run-cli.ts";

const READ = "GET http://api.vendor.example.com/prices";
const NOW = ["--now", "2026-11-23T12:00:00Z"];

async function check(...args: string[]) {
  return runCli(["check", "--policies", await temporaryDirectory(SMALL_SET), ...args]);
}

describe("check", () => {
  it("exits 0 on allow and names rule, place, owner and end", async () => {
    const { code, stdout } = await check("shop/cart", READ, "--header", "x-team=a", ...NOW);
    expect(code).toBe(0);
    expect(stdout).toContain("ALLOW  allowed-by-rule");
    expect(stdout).toMatch(/small\/read\s+policies\.yaml:16/);
    expect(stdout).toContain("team@example.com · SEC-1 · prices");
    expect(stdout).toContain("2027-01-01T00:00:00.000Z");
    expect(stdout).not.toContain("\u001b");
  });

  it("exits 2 on deny and says what to do next", async () => {
    const { code, stdout } = await check("shop/cart", "GET http://api.vendor.example.com/admin", ...NOW);
    expect(code).toBe(2);
    expect(stdout).toContain("DENY  denied-by-rule");
    expect(stdout).toContain("small/never");
    expect(stdout).toContain("talk to the owner");
  });

  it("prints a stable JSON document", async () => {
    const { code, stdout } = await check("shop/cart", READ, "--header", "x-team=b", ...NOW, "-o", "json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      schema: "sallyport.dev/check/v1",
      from: "shop/cart",
      to: READ,
      note: null,
      effect: "allow",
      reason: "allowed-by-rule",
      rules: [
        {
          id: "small/read",
          file: "policies.yaml",
          line: 16,
          owner: "team@example.com",
          ticket: "SEC-1",
          reason: "prices",
        },
      ],
      shadow: "allow",
      shadowRules: ["small/read"],
      validUntil: "2027-01-01T00:00:00.000Z",
      subject: "spiffe://cluster.local/ns/shop/sa/cart",
      target: "api.vendor.example.com:80",
      service: "vendor",
      revision: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      enforcedBy: "workload",
      leaves: true,
    });
  });

  it("decides as of --now", async () => {
    const { code, stdout } = await check("shop/cart", READ, "--header", "x-team=a", "--now", "2027-01-01T00:00:00Z");
    expect(code).toBe(2);
    expect(stdout).toContain("DENY  rule-expired");
    expect(stdout).toContain("small/read");
  });

  it("knows upgrades", async () => {
    const chat = ["shop/chat", "GET http://api.vendor.example.com/chat", ...NOW];
    expect((await check(...chat, "--upgrade", "websocket")).code).toBe(0);
    const other = await check(...chat, "--upgrade", "h2c");
    expect(other.code).toBe(2);
    expect(other.stdout).toContain("upgrade-not-allowed");
  });

  it("says that https hides method and path", async () => {
    const { stdout } = await check("shop/cart", "GET https://api.vendor.example.com/prices", ...NOW, "-o", "json");
    const answer = JSON.parse(stdout);
    expect(answer).toMatchObject({ effect: "deny", target: "api.vendor.example.com:443" });
    expect(answer.note).toMatch(/method and path/);
  });

  it.each([
    ["AllowAny", "none", true, true, true],
    ["RegistryOnly", "namespace", true, false, false],
    ["Gateway", "workload", false, false, false],
  ])(
    "says what the mesh enforces under %s",
    async (model, enforcedBy, neighbourLeaves, strangerLeaves, unregisteredLeaves) => {
      const gateway = `${SMALL_SET["gateway.yaml"]}`.replace("{fallback: deny}", `{securityModel: ${model}}`);
      const dir = await temporaryDirectory({ ...SMALL_SET, "gateway.yaml": gateway });
      const ask = async (from: string, to: string) => {
        const { stdout } = await runCli(["check", "--policies", dir, from, to, ...NOW, "-o", "json"]);
        return JSON.parse(stdout);
      };
      const post = READ.replace("GET", "POST");
      // No rule lets shop/x post, but rules let its namespace reach the service; no rule lets anybody of market.
      expect(await ask("shop/x", post)).toMatchObject({ enforcedBy, leaves: neighbourLeaves });
      expect(await ask("market/x", READ)).toMatchObject({ enforcedBy, leaves: strangerLeaves });
      const elsewhere = "GET http://other.example.org/";
      expect(await ask("shop/x", elsewhere)).toMatchObject({ enforcedBy, leaves: unregisteredLeaves });
    },
  );

  it.each([
    [["shop/cart"]],
    [["shop/cart", "not a request"]],
    [["not a subject", READ]],
    [["shop/cart", READ, "--now", "tomorrow"]],
    [["shop/cart", READ, "--header", "x-team"]],
    [["shop/cart", READ, "--header", "x-team=a", "--header", "X-Team=b"]],
    [["shop/cart", READ, "--output", "xml"]],
    [["shop/cart", READ, "--server", "127.0.0.1:1", ...NOW]],
    [["shop/cart", READ, "--no-such-option"]],
  ])("exits 64 on %j", async (args) => {
    const { code, stdout, stderr } = await check(...args);
    expect(code).toBe(64);
    expect(stdout).toBe("");
    expect(stderr).not.toBe("");
  });

  it("exits 3 when the policies are invalid and prints where", async () => {
    const dir = await temporaryDirectory({ ...SMALL_SET, "bad.yaml": "kind: Nonsense\n" });
    const human = await runCli(["check", "--policies", dir, "shop/cart", READ]);
    expect(human.code).toBe(3);
    expect(human.stderr).toContain("bad.yaml:1");
    const json = await runCli(["check", "--policies", dir, "shop/cart", READ, "-o", "json"]);
    expect(json.code).toBe(3);
    expect(JSON.parse(json.stdout)).toMatchObject({ schema: "sallyport.dev/error/v1", error: "invalid-policy" });
  });

  it("exits 1 when there is no such directory", async () => {
    const { code, stderr } = await runCli(["check", "--policies", "/nonexistent", "shop/cart", READ]);
    expect(code).toBe(1);
    expect(stderr).toContain("--policies");
  });
});
