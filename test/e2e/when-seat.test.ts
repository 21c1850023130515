import { afterAll, beforeAll, expect, it } from "vitest";
import { type Caller, requestHttp1 } from "../../src/cli/demo/client.ts";
import { type Lab, startLab } from "../../src/cli/demo/lab.ts";
import { eventually } from "../support/gateway.ts";
import { decidedBy, figures, untilSeated } from "../support/seat.ts";

const POLICIES = new URL("when-policies", import.meta.url).pathname;

let lab: Lab;
let caller: Caller;
const get = (path: string, ...headers: string[]) =>
  requestHttp1(caller, lab.port("http", 80), `GET ${path}`, ["host: api.example.com", ...headers]);
beforeAll(async () => {
  lab = await startLab({ policies: POLICIES, timeoutMs: 3_000, seat: "gateway" });
  caller = await lab.workload("shop/cart");
  await untilSeated(lab, () => get("/plain"));
}, 120_000);
afterAll(() => lab?.close());

it("a gateway that decides itself asks about a request whose answer needs an expression, and about no other", async () => {
  const served = async () => (await decidedBy(lab, "server")).map(({ target, reason }) => [target.path, reason]);
  const [before, told] = [await figures(lab), (await served()).length];
  expect((await get("/plain")).status).toBe(200);
  expect((await get("/none")).status).toBe(403);
  expect((await get("/team", "x-team: a")).status).toBe(200);
  const refused = await get("/team", "x-team: b");
  expect([refused.status, JSON.parse(refused.body).reason]).toEqual([403, "no-matching-rule"]);
  expect((await get("/team")).status).toBe(403);
  // In doubt already for what it reads: nobody needs to evaluate it.
  expect((await get("/team", "x-team: a", "x-team: a")).status).toBe(403);
  const records = await eventually(served, (each) => each.length >= told + 3, 5_000);
  expect(records.slice(told)).toEqual([
    ["/team", "allowed-by-rule"],
    ["/team", "no-matching-rule"],
    ["/team", "no-matching-rule"],
  ]);
  const after = await figures(lab);
  const grown = (name: string) => (after[name] ?? 0) - (before[name] ?? 0);
  expect(["asked", "allowed", "denied", "failed"].map(grown)).toEqual([3, 1, 2, 0]);
}, 60_000);

it("with no server there, what needs an expression is refused at once, and nothing else", async () => {
  await untilSeated(lab, () => get("/plain"));
  await lab.server.stop("SIGKILL");
  const needing = await get("/team", "x-team: a");
  expect([needing.status, JSON.parse(needing.body).reason]).toEqual([503, "internal-error"]);
  expect((await get("/plain")).status).toBe(200);
}, 60_000);
