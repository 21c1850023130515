import { Command, InvalidArgumentError } from "commander";
import { localAnswer } from "../analyze/answer.ts";
import { enforcement } from "../analyze/enforcement.ts";
import { createExplain } from "../analyze/explain/explain.ts";
import { compileBundle } from "../bundle/compile.ts";
import { createEngine } from "../pdp/engine.ts";
import { EXIT } from "./exit-code.ts";
import { explanationJson } from "./explain/json.ts";
import { mermaidChart } from "./explain/mermaid.ts";
import { printExplanation } from "./explain/text.ts";
import { requireSet } from "./load-set.ts";
import { outputOption, printJson } from "./output.ts";
import { REQUEST_HELP, type RequestOptions, understand, withRequest, writtenRequest } from "./request-options.ts";

const HELP = `${REQUEST_HELP}

Walks the decision step by step and rule by rule. The rules that decide come first, then the near misses: rules that
would match but for one condition, then two, and so on. Every verdict is the engine's own.

Examples:
  sallyport explain payments/refunds "POST http://api.stripe.com/v1/charges"
  sallyport explain ci/release "PUT http://api.github.com/repos/acme/shop/releases" --now 2026-12-24T12:00:00Z
  sallyport explain payments/checkout "POST http://api.stripe.com/v1/charges" --output mermaid > decision.mmd
  sallyport explain data/etl "TLS acme.eu-central-1.snowflakecomputing.com" --rules 0 --output json

Exit codes: 0 allow, 2 deny, 3 the policies are invalid, 1 they cannot be read, 64 the request cannot be understood.`;

interface ExplainOptions extends RequestOptions {
  readonly rules?: number;
  readonly output: string;
}

/** `sallyport explain`: the walk of one decision. */
export function explainCommand(): Command {
  return withRequest(new Command("explain"))
    .summary("walk one decision rule by rule, near misses first")
    .description("Walk one decision rule by rule, near misses first.")
    .option("--rules <n>", "tell of the nearest n rules, however far off; 0 = of all", parseCount)
    .addOption(outputOption(["human", "json", "mermaid"]))
    .addHelpText("after", HELP)
    .action(explain);
}

async function explain(from: string, to: string, options: ExplainOptions): Promise<void> {
  const loaded = await requireSet(options.policies, options.output);
  if (loaded === null) return;
  const { set, module } = loaded;
  const request = writtenRequest(from, to, options);
  const asked = understand(request, set.gateway.trustDomains[0] ?? "");
  if (asked === null) return;
  const bundle = compileBundle(set);
  const engine = createEngine(module, bundle);
  const nowMs = options.now ?? Date.now();
  const { input } = asked;
  const upgrade = input.kind === "http" ? request.upgrade : null;
  const most = options.rules === 0 ? Number.POSITIVE_INFINITY : (options.rules ?? null);
  const explanation = createExplain(engine, set, bundle)({ input, nowMs, upgrade }, most);
  const { decision } = explanation;
  const enforced = enforcement(set, decision);
  const answer = localAnswer(request, asked, decision, { set, enforced, revision: engine.revision });
  process.exitCode = decision.effect === "allow" ? EXIT.ok : EXIT.deny;
  if (options.output === "json") printJson(explanationJson(answer, explanation, nowMs));
  else if (options.output === "mermaid") process.stdout.write(mermaidChart(answer, explanation));
  else printExplanation(answer, explanation);
}

function parseCount(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("write a whole number.");
  return Number(text);
}
