import { describe, expect, it } from "vitest";
import { requestHttp1, requestHttp2 } from "../../src/cli/demo/client.ts";
import { useGateway } from "../support/gateway.ts";
import { DECISIONS, type HttpCase, PATHS, TARGETS } from "./http-case.ts";

const gateway = useGateway();

async function send({ as, port = 80, line = "", headers = [], h2 }: HttpCase["send"]) {
  const caller = await gateway.as(as);
  const at = gateway.lab.httpPort(port);
  return h2 === undefined
    ? requestHttp1(caller, at, line, headers)
    : requestHttp2(caller, at, { ":scheme": "https", ...h2 });
}

/** Exactly one record, the right answer, and nothing outside unless the answer came from there. */
async function judge(each: HttpCase): Promise<void> {
  const reached = gateway.lab.upstream.seen.length;
  const { answer, records } = await gateway.outcome(() => send(each.send), 1);
  const { status, reason, rules } = each.expect;
  expect(records.map((record) => record.reason)).toEqual([reason]);
  expect(answer.status).toBe(status);
  expect(gateway.lab.upstream.seen.length - reached).toBe(status === 200 ? 1 : 0);
  if (rules !== undefined) expect(records[0]?.rules).toEqual(rules);
  if (status === 403) expect(JSON.parse(answer.body)).toMatchObject({ effect: "deny", reason });
}

describe("decisions over HTTP", () => {
  it.each(DECISIONS)("$name: $expect.status $expect.reason", judge);
});

describe("what a caller says about its target", () => {
  it.each(TARGETS)("$name: $expect.status $expect.reason", judge);
});

describe("paths", () => {
  it.each(PATHS)("$name: $expect.status $expect.reason", judge);
});
