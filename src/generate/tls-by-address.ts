import type { ExternalService } from "../policy/model.ts";
import type { GenerateNote } from "./draft.ts";
import { isTlsByAddress } from "./public-addresses.ts";
import { serviceTitle } from "./services.ts";

/** Notes for hosts of a service that are addresses on ports where the application speaks TLS: they are left out. */
export function tlsByAddressNotes(service: ExternalService): readonly GenerateNote[] {
  return service.hosts
    .filter((host) => service.ports.some(({ protocol }) => isTlsByAddress(host, protocol)))
    .map((host) => ({
      code: "tls-by-address",
      severity: "warning",
      at: service.at,
      message: `\`${host}\` of \`${serviceTitle(service)}\` is left out for the application's own TLS, whose clients say no name to an address`,
      fix: "register the port as TCP",
    }));
}
