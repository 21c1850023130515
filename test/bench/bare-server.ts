/** What a user might write first: grpc-js with proto-loader, always allowing. The yardstick of CPU per Check. */
import { Server, ServerCredentials, type ServiceDefinition } from "@grpc/grpc-js";
import { loadProtos } from "../../src/server/load-protos.ts";

const [, , address = ""] = process.argv;
const server = new Server({ "grpc.enable_channelz": 0 });
server.addService(loadProtos().authorizationClient as ServiceDefinition, {
  Check: (_call: unknown, callback: (error: null, response: object) => void) => {
    callback(null, { status: { code: 0 }, ok_response: {} });
  },
});
server.bindAsync(address, ServerCredentials.createInsecure(), (error) => {
  if (error !== null) throw error;
  process.stdout.write("ready\n");
});
