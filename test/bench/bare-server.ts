/**
 * What a user might write first: grpc-js with proto-loader, always allowing. The yardstick of CPU per Check.
 * Arguments: the address; for mTLS also files of its certificate, its key and the roots that callers are verified with.
 */
import { readFileSync } from "node:fs";
import { Server, ServerCredentials, type ServiceDefinition } from "@grpc/grpc-js";
import { loadProtos } from "../../src/server/load-protos.ts";

const [, , address = "", certificate, key, roots] = process.argv;
const server = new Server({ "grpc.enable_channelz": 0 });
server.addService(loadProtos().authorizationClient as ServiceDefinition, {
  Check: (_call: unknown, callback: (error: null, response: object) => void) => {
    callback(null, { status: { code: 0 }, ok_response: {} });
  },
});
server.bindAsync(address, credentials(), (error) => {
  if (error !== null) throw error;
  process.stdout.write("ready\n");
});

function credentials(): ServerCredentials {
  if (certificate === undefined || key === undefined || roots === undefined) return ServerCredentials.createInsecure();
  const own = { cert_chain: readFileSync(certificate), private_key: readFileSync(key) };
  return ServerCredentials.createSsl(readFileSync(roots), [own], true);
}
