import { existsSync, readFileSync } from "node:fs";
import { parseDocument } from "yaml";
import { z } from "zod";
import { CONFIG_SCHEMA, type Config, parseDuration } from "./config-settings.ts";
import { didYouMean } from "./did-you-mean.ts";

/** The file that is read when none is named. */
const CONFIG_FILE = "sallyport.config.yaml";

/** One setting, as flag, variable and place in the file. */
export interface Setting {
  readonly path: readonly string[];
  /** `--audit-max-size`. */
  readonly flag: string;
  /** `SALLYPORT_AUDIT_MAX_SIZE`. */
  readonly variable: string;
  readonly description: string;
  readonly standard: unknown;
}

/** Where settings come from; later ones win: file, environment, flags. */
export interface ConfigSources {
  /** Null = `sallyport.config.yaml` if there is one. */
  readonly file: string | null;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Values by flag, e.g. `--audit-to`. */
  readonly flags: Readonly<Record<string, string | readonly string[]>>;
}

export type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Variables that Kubernetes sets in every pod beside a Service called `sallyport` or `sallyport-…`. */
const KUBERNETES = /_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/;

/** Every setting, in the order of the schema. */
export const SETTINGS: readonly Setting[] = settingsOf(CONFIG_SCHEMA, [], CONFIG_SCHEMA.parse({}));

/** Reads the configuration. All problems are reported at once. */
export function readConfig({ file, env, flags }: ConfigSources): ConfigResult {
  const problems: string[] = [];
  const merged = readFile(file ?? env.SALLYPORT_CONFIG ?? null, problems);
  const variables = new Set(["SALLYPORT_CONFIG", ...SETTINGS.map((each) => each.variable)]);
  for (const name of Object.keys(env)) {
    if (!name.startsWith("SALLYPORT_") || variables.has(name) || KUBERNETES.test(name)) continue;
    problems.push(`the environment variable ${name} is unknown${hint(name, [...variables])}`);
  }
  for (const setting of SETTINGS) {
    const value = flags[setting.flag] ?? env[setting.variable];
    if (value !== undefined) put(merged, setting, value);
  }
  const parsed = CONFIG_SCHEMA.safeParse(merged);
  if (!parsed.success) problems.push(...parsed.error.issues.flatMap(problemsOf));
  else problems.push(...inconsistencies(parsed.data));
  return parsed.success && problems.length === 0 ? { ok: true, config: parsed.data } : { ok: false, problems };
}

function settingsOf(schema: z.ZodObject, path: readonly string[], standard: object): Setting[] {
  return Object.entries(schema.shape).flatMap(([key, field]): Setting[] => {
    const here = [...path, key];
    const value: unknown = Reflect.get(standard, key);
    const inner = field instanceof z.ZodPrefault ? field.unwrap() : null;
    if (inner instanceof z.ZodObject && typeof value === "object" && value !== null)
      return settingsOf(inner, here, value);
    const words = here.join("-").replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    const variable = `SALLYPORT_${words.replaceAll("-", "_").toUpperCase()}`;
    const description = field instanceof z.ZodType ? (field.description ?? "") : "";
    return [{ path: here, flag: `--${words}`, variable, description, standard: value }];
  });
}

function readFile(named: string | null, problems: string[]): Record<string, unknown> {
  const file = named ?? CONFIG_FILE;
  if (named === null && !existsSync(file)) return {};
  try {
    const document = parseDocument(readFileSync(file, "utf8"), { strict: true, uniqueKeys: true, prettyErrors: true });
    const found = [...document.errors, ...document.warnings];
    for (const error of found) problems.push(`${file}: ${error.message.split("\n")[0]}`);
    const content: unknown = found.length > 0 ? {} : document.toJS({ maxAliasCount: 0 });
    if (isRecord(content)) return content;
    if (content !== null) problems.push(`${file}: write settings as \`key: value\``);
  } catch (error) {
    problems.push(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  return {};
}

function put(
  target: Record<string, unknown>,
  { path, standard }: Pick<Setting, "path" | "standard">,
  value: string | readonly string[],
): void {
  const [key = "", ...rest] = path;
  if (rest.length > 0) {
    const section = target[key];
    const inner = isRecord(section) ? { ...section } : {};
    if (section !== undefined && section !== null && !isRecord(section)) return;
    target[key] = inner;
    put(inner, { path: rest, standard }, value);
  } else if (Array.isArray(standard)) {
    target[key] =
      typeof value === "string"
        ? value
            .split(",")
            .map((each) => each.trim())
            .filter((each) => each !== "")
        : value;
  } else if (typeof standard === "number") {
    target[key] = /^\d+(\.\d+)?$/.test(String(value)) ? Number(value) : value;
  } else target[key] = value;
}

function problemsOf(issue: z.core.$ZodIssue): string[] {
  const place = issue.path.map(String);
  if (issue.code !== "unrecognized_keys") return [`${place.join(".")}: ${issue.message}`];
  const known = SETTINGS.filter(({ path }) => place.every((key, index) => path[index] === key));
  const names = [...new Set(known.map(({ path }) => path[place.length] ?? ""))];
  return issue.keys.map((key) => `${[...place, key].join(".")} is not a setting${hint(key, names)}`);
}

/** A server needs some milliseconds for what it reads at once. */
const LEAST_WAIT_MS = 10;

/** Settings that are fine one by one but make no sense together. */
function inconsistencies({ tls, allowedCallers, audit, overload, policySource, state }: Config): string[] {
  if ((parseDuration(overload.maxWait) ?? 0) < LEAST_WAIT_MS) {
    return [
      `overload.maxWait: write ${LEAST_WAIT_MS}ms or more: with less, Checks are refused that waited for others only`,
    ];
  }
  const found = auditInconsistencies(audit);
  if (found.length > 0) return found;
  if (policySource === "kubernetes" && state !== "") {
    return ["state: keeps what a policy directory comes to; leave it out with policySource: kubernetes"];
  }
  const given = [tls.certificate, tls.key, tls.clientCa].filter((each) => each !== "").length;
  const hasApi = tls.workloadApi !== "";
  if (hasApi && given !== 0) return ["tls: give workloadApi, or certificate, key and clientCa, not both"];
  if (given !== 0 && given !== 3) return ["tls: certificate, key and clientCa belong together; give all three"];
  if ((hasApi || given === 3) && allowedCallers.length === 0)
    return ["allowedCallers: with tls, list who may ask (nobody is listed)"];
  return [];
}

function auditInconsistencies({ to, kafka }: Config["audit"]): string[] {
  const kinds = to.map((each) => (["stdout", "otlp", "kafka", "none"].includes(each) ? each : "a file"));
  const twice = kinds.find((kind, index) => kinds.indexOf(kind) !== index);
  if (twice !== undefined) return [`audit.to: names ${twice} twice`];
  if (to.includes("none") && to.length > 1) return ["audit.to: none stands alone"];
  if ((kafka.certificate === "") !== (kafka.key === "")) return ["audit.kafka: certificate and key belong together"];
  if ((kafka.username === "") !== (kafka.passwordFile === ""))
    return ["audit.kafka: username and passwordFile belong together"];
  return [];
}

function hint(name: string, candidates: readonly string[]): string {
  const near = didYouMean(name, candidates);
  return near === null ? `; there are ${candidates.join(", ")}` : `; did you mean ${near}?`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
