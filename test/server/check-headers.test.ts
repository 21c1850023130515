import { expect, it } from "vitest";
import { checkHeaders } from "../../src/server/check-headers.ts";
import { createRawClient, framed } from "../attack/raw-grpc.ts";
import { CONTRACT, decision, httpCheck, startAnswering } from "./harness.ts";

it("of a Check's headers what is read is told, as often as it came", () => {
  const read = { ":path": "/a", "content-type": "application/grpc", "grpc-encoding": "gzip", traceparent: "00-1" };
  const named = { "sallyport-host": ["a", "b"], "sallyport-port": "443" };
  const others = { ":authority": "x", te: "trailers", "user-agent": "Envoy", "grpc-timeout": "250m", "x-b": "c" };
  expect(checkHeaders({ ...read, ...named, ...others } as never)).toEqual({ ...read, ...named });
});

it("no timer is made of the time that a Check may take, whatever it says: who set it takes the Check back", async () => {
  const answering = await startAnswering({ revision: "r", headers: [], decide: () => decision() } as never);
  const client = createRawClient(answering.address, 10_000);
  const body = framed(CONTRACT.authorizationClient.Check?.requestSerialize(httpCheck()) as Buffer);
  try {
    for (const time of ["1n", "x"]) {
      expect(await client.call({ body, headers: { "grpc-timeout": time } })).toMatchObject({ grpcStatus: 0 });
    }
  } finally {
    client.close();
    await answering.close();
  }
});
