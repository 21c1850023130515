import type { ExternalService } from "../policy/model.ts";
import type { GenerateNote } from "./draft.ts";
import { serviceTitle } from "./services.ts";

/** Ports by which protocols are known whose servers greet first: FTP, SSH, SMTP, POP3, IMAP, submission, MySQL, VNC. */
const GREETERS: ReadonlySet<number> = new Set([21, 22, 25, 110, 143, 587, 3306, 5900]);

/** Notes for TCP ports whose servers are known to speak first: their clients and the gateway would wait for each other. */
export function speaksFirstNotes(service: ExternalService): readonly GenerateNote[] {
  return service.ports
    .filter(({ number, protocol }) => protocol === "TCP" && GREETERS.has(number))
    .map(({ number }) => ({
      code: "server-speaks-first",
      severity: "warning",
      at: service.at,
      message: `servers on port ${number} of \`${serviceTitle(service)}\` speak first, and the gateway dials only after the client's first bytes: connections would wait for ever`,
      fix: "use a protocol whose client speaks first, such as TLS from the start",
    }));
}
