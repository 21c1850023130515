import { Command, Option } from "commander";
import { type CheckAnswer, checkJson, localAnswer } from "../analyze/answer.ts";
import { enforcement } from "../analyze/enforcement.ts";
import type { WrittenRequest } from "../analyze/request.ts";
import { compileBundle } from "../bundle/compile.ts";
import { createEngine } from "../pdp/engine.ts";
import { printAnswer } from "./check-answer.ts";
import { EXIT } from "./exit-code.ts";
import { requireSet } from "./load-set.ts";
import { outputOption, printFailure, printJson } from "./output.ts";
import { REQUEST_HELP, type RequestOptions, understand, withRequest, writtenRequest } from "./request-options.ts";

const HELP = `${REQUEST_HELP}

Examples:
  sallyport check payments/checkout "POST http://api.stripe.com/v1/charges"
  sallyport check ci/release "POST http://api.github.com/repos/acme/shop/releases" --now 2026-12-24T12:00:00Z
  sallyport check support/chat "GET http://widget-mediator.zopim.com/s/W/ws" --upgrade websocket
  sallyport check data/etl "TLS acme.eu-central-1.snowflakecomputing.com" --output json
  sallyport check payments/checkout "GET http://api.stripe.com/v1/charges" --server 127.0.0.1:9191

Exit codes: 0 allow, 2 deny, 3 the policies are invalid, 1 no answer, 64 the request cannot be understood.`;

interface CheckOptions extends RequestOptions {
  server?: string;
  ca?: string;
  cert?: string;
  key?: string;
  serverId?: string;
  trustDomain: string;
  output: string;
}

/** `sallyport check`: what comes of one request, and why. */
export function checkCommand(): Command {
  return withRequest(new Command("check"))
    .summary("say what comes of one request, and why")
    .description("Say what comes of one request, and why.")
    .addOption(
      new Option("--server <address>", "ask a running server (host:port or unix:/path) instead of the policies here")
        .conflicts("now")
        .conflicts("policies"),
    )
    .option("--ca <file>", "with --server: certificates to trust (PEM)")
    .option("--cert <file>", "with --server: own certificate (PEM)")
    .option("--key <file>", "with --server: own key (PEM)")
    .option("--server-id <spiffe-id>", "with --server: the SPIFFE ID that the server must have")
    .option("--trust-domain <name>", "with --server: completes namespace/serviceaccount", "cluster.local")
    .addOption(outputOption(["human", "json"]))
    .addHelpText("after", HELP)
    .action(check);
}

async function check(from: string, to: string, options: CheckOptions): Promise<void> {
  const request = writtenRequest(from, to, options);
  const answer = options.server === undefined ? await askHere(request, options) : await askThere(request, options);
  if (answer === null) return;
  process.exitCode = answer.effect === "allow" ? EXIT.ok : EXIT.deny;
  if (options.output === "json") printJson(checkJson(answer));
  else printAnswer(answer);
}

async function askHere(request: WrittenRequest, options: CheckOptions): Promise<CheckAnswer | null> {
  const loaded = await requireSet(options.policies, options.output);
  if (loaded === null) return null;
  const { set, module } = loaded;
  const asked = understand(request, set.gateway.trustDomains[0] ?? options.trustDomain);
  if (asked === null) return null;
  const engine = createEngine(module, compileBundle(set));
  const decision = engine.decide(asked.input, options.now ?? Date.now());
  const enforced = enforcement(set, decision);
  return localAnswer(request, asked, decision, { set, enforced, revision: engine.revision });
}

async function askThere(request: WrittenRequest, options: CheckOptions): Promise<CheckAnswer | null> {
  const asked = understand(request, options.trustDomain);
  if (asked === null) return null;
  const { server = "", ca = null, cert = null, key = null, serverId = null } = options;
  // Loaded when needed: most runs ask nobody.
  const { askServer } = await import("./ask-server.ts");
  const answer = await askServer(request, asked, { address: server, ca, cert, key, serverId });
  if (answer.ok) return answer.value;
  printFailure(answer.message, answer.fix);
  process.exitCode = answer.usage ? EXIT.usage : EXIT.failure;
  return null;
}
