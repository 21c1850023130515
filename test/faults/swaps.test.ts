import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import type { AuditRecord } from "../../src/audit/record.ts";
import { createLogger } from "../../src/server/logger.ts";
import { type RunningServer, startServer } from "../../src/server/server.ts";
import { type CheckClient, connectClient, httpCheck, told } from "../server/harness.ts";
import { createPolicyDirectory, type PolicyDirectory, ROOT } from "../server/policy-directory.ts";

/** How many revisions come into force one after the other; 10,000 take some minutes. */
const SWAPS = Number(process.env.SWAPS ?? 60);
const ACCOUNTS = 6;
const AT_ONCE = 8;
const LOOPBACK = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** What a revision says: which accounts may, and which may not. */
type Wanted = readonly ("allow" | "deny" | "nothing")[];

/** No two in a row say the same; most say something else of most accounts. */
function wantedAt(swap: number): Wanted {
  const mixed = Math.imul(swap + 1, 0x9e3779b1) >>> 0;
  return Array.from(
    { length: ACCOUNTS },
    (_, i) => (["allow", "deny", "nothing"] as const)[Math.floor(mixed / 3 ** (i + 3)) % 3] ?? "nothing",
  );
}

function policyOf(swap: number): string {
  const rules = wantedAt(swap).flatMap((what, i) =>
    what === "nothing"
      ? []
      : [
          `  - {name: ${what}-${i}, effect: ${what}, reason: swap ${swap}, from: [{serviceAccount: shop/a${i}}], to: [{service: stripe}]}\n`,
        ],
  );
  // There is always a rule, and no revision comes twice.
  const last = `  - {name: z, from: [{serviceAccount: shop/z}], to: [{service: stripe}], ticket: SWAP-${swap}}\n`;
  return `apiVersion: sallyport.dev/v1alpha1\nkind: EgressPolicy\nmetadata: {name: swapped, namespace: shop}\nspec:\n  owner: shop-team\n  rules:\n${rules.join("")}${last}`;
}

async function start(policies: PolicyDirectory, trail: string): Promise<RunningServer> {
  const file = { kind: "file", path: trail, maxBytes: 2 ** 40, maxAgeMs: null, maxFiles: 1, keepMs: null } as const;
  return startServer(
    {
      policies: { kind: "directory", path: policies.path },
      listen: [LOOPBACK],
      tls: null,
      allowedCallers: [],
      metricsReaders: [],
      admin: null,
      probes: null,
      audit: {
        mode: "batch",
        require: "all",
        headers: { include: [], exclude: [] },
        sinks: [{ ...file, packing: null, key: null }],
      },
      bundle: { key: null },
      exceptions: { leadMs: 0 },
      cache: { maxBytes: 1 << 22 },
      reload: { pollMs: 3_600_000, deadlineMs: 60_000 },
      overload: { maxWaitMs: 60_000, maxInFlight: 1024 },
      state: null,
      traces: null,
      drain: { waitMs: 0, limitMs: 2_000 },
    },
    createLogger("silent"),
  );
}

it(
  `${SWAPS} swaps under load: every record says what its revision says`,
  async () => {
    const own = mkdtempSync(join(tmpdir(), "sallyport-swaps-"));
    closing.push(() => rmSync(own, { recursive: true, force: true }));
    const trail = join(own, "audit.jsonl");
    const policies = createPolicyDirectory({ "root.yaml": ROOT, "shop/swapped.yaml": policyOf(0) });
    closing.push(policies.remove);
    const server = await start(policies, trail);
    const wanted = new Map([[server.revision, wantedAt(0)]]);
    let isOn = true;
    let answered = 0;
    const client: CheckClient = connectClient(server.addresses[0] ?? "");
    const load = Promise.all(
      Array.from({ length: AT_ONCE }, async (_, worker) => {
        for (let n = worker; isOn; n += 1) {
          const principal = `spiffe://cluster.local/ns/shop/sa/a${n % ACCOUNTS}`;
          told(await client.check(httpCheck({ principal })));
          answered += 1;
        }
      }),
    );
    await expect.poll(() => answered, { timeout: 20_000 }).toBeGreaterThan(0);
    for (let swap = 1; swap <= SWAPS; swap += 1) {
      policies.put("shop/swapped.yaml", policyOf(swap));
      const { kind } = await server.reload();
      // The watch may have been quicker.
      expect(["loaded", "unchanged"]).toContain(kind);
      wanted.set(server.revision, wantedAt(swap));
      const seen = answered;
      await expect.poll(() => answered, { timeout: 20_000, interval: 1 }).toBeGreaterThan(seen + AT_ONCE);
    }
    isOn = false;
    await load;
    client.close();
    await server.drain();
    const records = readFileSync(trail, "utf8")
      .split("\n")
      .filter((line) => line.includes('"effect":"') && line.includes('"subject":'))
      .map((line): AuditRecord => JSON.parse(line));
    expect(records).toHaveLength(answered);
    let wrong = 0;
    const met = new Set<string | null>();
    for (const { revision, subject, effect, reason, rules } of records) {
      const account = Number(subject.serviceAccount?.slice(1));
      const says = wanted.get(revision)?.[account];
      met.add(revision);
      const right =
        says === "nothing"
          ? effect === "deny" && reason === "no-matching-rule" && rules.length === 0
          : effect === says && rules.length === 1 && rules[0] === `shop/swapped/${says}-${account}`;
      if (says === undefined || !right) wrong += 1;
    }
    process.stderr.write(
      `${SWAPS} swaps: ${records.length} records of ${met.size} revisions, ${wrong} do not say what their revision says\n`,
    );
    expect(wrong).toBe(0);
    expect(met.size).toBe(SWAPS + 1);
  },
  60_000 + SWAPS * 1_000,
);
