import { once } from "node:events";
import { connect } from "node:http2";
import { expect, it } from "vitest";
import { connectClient, decision, httpCheck, startAnswering } from "./harness.ts";

/** Node's own limit is a thousand and 33 a second. */
const CANCELS = 5_000;

it("a connection on which thousands of Checks are taken back answers the others", async () => {
  const answering = await startAnswering({ revision: "r", headers: [], decide: () => decision() } as never);
  const client = connectClient(answering.address);
  const session = connect(`http://${answering.address}`);
  let ended = "";
  session.on("goaway", (code) => {
    ended = `GOAWAY ${code}`;
  });
  session.on("error", (error) => {
    ended ||= String(error);
  });
  try {
    await once(session, "connect");
    for (let n = 0; n < CANCELS; n += 1) {
      const stream = session.request({
        ":method": "POST",
        ":path": "/envoy.service.auth.v3.Authorization/Check",
        "content-type": "application/grpc",
        te: "trailers",
      });
      stream.on("error", () => undefined);
      stream.close(8);
      // As many as may be open at once.
      if (n % 500 === 499) await new Promise((resolve) => session.ping(resolve));
    }
    await new Promise((resolve) => session.ping(resolve));
    expect(ended).toBe("");
    expect(session.closed).toBe(false);
    expect((await client.check(httpCheck())).status?.code ?? 0).toBe(0);
  } finally {
    session.destroy();
    client.close();
    await answering.close();
  }
});
