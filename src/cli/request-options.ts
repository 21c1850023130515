import { type Command, InvalidArgumentError } from "commander";
import { type AskedRequest, askedRequest, type WrittenRequest } from "../analyze/request.ts";
import { EXIT } from "./exit-code.ts";
import { parseInstant, policiesOption, printFailure } from "./output.ts";

/** How a request is written, for the help of commands that take one. */
export const REQUEST_HELP = `
FROM is a SPIFFE ID or namespace/serviceaccount in the mesh's own trust domain. REQUEST is what the application dials:
  "METHOD http://host[:port]/path"   clear HTTP, which the gateway may turn into HTTPS: rules see method, path, headers
  "METHOD https://host/path"         TLS of the application's own: rules see the host only
  "TLS host[:port]"                  the same, port 443 unless named
  "TCP host:port"                    anything else`;

/** The options by which a request, the policies and the instant are named. */
export interface RequestOptions {
  readonly policies: string;
  readonly header?: Record<string, string>;
  readonly upgrade?: string;
  /** Milliseconds since the epoch; absent = the present. */
  readonly now?: number;
}

/** Adds the arguments and options of a command about one request. */
export function withRequest(command: Command): Command {
  return command
    .argument("<from>", "who asks")
    .argument("<request>", "what for, in one argument")
    .addOption(policiesOption())
    .option("--header <name=value>", "a request header; may be repeated", addHeader)
    .option("--upgrade <protocol>", "the request upgrades to this protocol, e.g. websocket")
    .option("--now <time>", "decide as of this instant (RFC 3339) instead of the present", parseInstant);
}

/** The request as it was written. */
export function writtenRequest(from: string, to: string, { header, upgrade }: RequestOptions): WrittenRequest {
  return { from, to, headers: header ?? {}, upgrade: upgrade ?? null };
}

/** The request as the engine is asked, or null after saying what is wrong with it. */
export function understand(request: WrittenRequest, trustDomain: string): AskedRequest | null {
  const asked = askedRequest(request, trustDomain);
  if (asked.ok) return asked.value;
  printFailure(asked.message, asked.fix);
  process.exitCode = EXIT.usage;
  return null;
}

function addHeader(text: string, headers: Record<string, string> = {}): Record<string, string> {
  const [, name, value] = /^([^=\s]+)=([\s\S]*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError("write it as name=value.");
  const key = name.toLowerCase();
  if (Object.hasOwn(headers, key)) throw new InvalidArgumentError(`${key} is given twice.`);
  return { ...headers, [key]: value };
}
