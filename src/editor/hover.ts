import { isKind, KINDS } from "../policy/schema/kinds.ts";
import { meaningAt } from "../policy/schema-at.ts";
import { caseHover } from "./case-hover.ts";
import type { Decider } from "./decider.ts";
import { code, placeText } from "./markdown.ts";
import type { NamedDocument, Names } from "./names.ts";
import type { Place } from "./place.ts";
import { documentNamedAt } from "./reference.ts";
import { ruleHover } from "./rule-hover.ts";

/**
 * What there is to say about a place, as Markdown: what a service or group is, what comes of a case, what comes of requests that
 * a rule speaks of, what a key means. Null when there is nothing. @param decider null while no valid set was seen
 */
export function hoverAt(place: Place, names: Names, decider: Decider | null): string | null {
  const named = documentNamedAt(place, names);
  if (named !== null) return definition(named);
  const { kind, path, role, text } = place;
  const [top, list, index] = path;
  if (top === "spec" && typeof index === "number" && decider !== null) {
    if (kind === "DecisionTest" && list === "cases") return caseHover(place, index, decider);
    const isName = path.length === (role === "key" ? 3 : 4) && (role === "key" ? text : path[3]) === "name";
    if (kind === "EgressPolicy" && list === "rules" && isName) return ruleHover(place, index, names, decider);
  }
  if (role !== "key" || kind === null || !isKind(kind)) return null;
  const meaning = meaningAt(KINDS[kind], path, text);
  return meaning === null ? null : `${code(text)}: ${meaning}`;
}

type Defined = NamedDocument<"ExternalService"> | NamedDocument<"IdentityGroup">;

/** The most entries of a list that are shown. */
const SHOWN = 8;

function definition({ name, scope, at, document }: Defined): string {
  const whose = scope === "" ? "global" : `of namespace ${code(scope)}`;
  const head = `**${document.kind}** ${code(name)}, ${whose}: ${placeText(at)}`;
  return [head, "", ...lines(document).map((line) => `- ${line}`)].join("\n");
}

function lines(document: Defined["document"]): string[] {
  if (document.kind === "IdentityGroup") {
    const { members, fallback } = document.spec;
    const texts = members.flatMap((each) => Object.entries(each).map(([key, value]) => code(`${key}: ${value}`)));
    return [`members ${short(texts)}`, ...(fallback === undefined ? [] : [`fallback ${code(fallback)}`])];
  }
  const { hosts, ports, tls, addresses, internal, mirror, split } = document.spec;
  return [
    `hosts ${short(hosts.map(code))}`,
    `ports ${short(ports.map(({ number, protocol }) => code(`${number} ${protocol}`)))}`,
    ...(tls === undefined
      ? []
      : [`tls by ${code(tls.originate)} to port ${tls.port}, at least ${code(tls.minVersion)}`]),
    ...(addresses === undefined ? [] : [`addresses ${short(addresses.map(code))}`]),
    ...(internal ? ["internal: the guard is lifted for these hosts"] : []),
    ...(mirror === undefined ? [] : [`mirrored to ${code(mirror.service)}, ${mirror.percent} %`]),
    ...(split === undefined
      ? []
      : [`split over ${short(split.map(({ service, weight }) => `${code(service)} (${weight})`))}`]),
  ];
}

function short(texts: readonly string[]): string {
  const more = texts.length - SHOWN;
  return `${texts.slice(0, SHOWN).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
