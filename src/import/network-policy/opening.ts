import type { HostPattern, IdentitySelector, SourcePosition } from "../../policy/model.ts";
import { bringHost } from "../hosts.ts";
import type { ImportOptions } from "../imported.ts";
import type { ImportCode } from "../note.ts";
import type { WorkloadsBehind } from "../workloads.ts";

export type Note = (code: ImportCode, at: SourcePosition, message: string) => void;

/** What the readers of all three kinds need. */
export interface Context extends ImportOptions {
  readonly behind: WorkloadsBehind;
  readonly note: Note;
}

/** Names that pods may reach, as a source says it. */
export interface Opening {
  readonly policy: string;
  readonly from: readonly IdentitySelector[];
  readonly names: readonly Name[];
  /** Null = every port. */
  readonly ports: readonly number[] | null;
  readonly at: SourcePosition;
}

/** A name, or a pattern that one of the sources reads in its own way. */
export interface Name {
  readonly text: string;
  /** `label`: a `*` stands for a part of one label. `labels`: for one or more labels. */
  readonly star: "label" | "labels";
  readonly at: SourcePosition;
}

/** Pods that may reach nothing on some ports, whatever else is said; null = on none. */
export interface Closing {
  readonly policy: string;
  /** Null = it cannot be said whose pods: everyone's. */
  readonly from: readonly IdentitySelector[] | null;
  readonly ports: readonly number[] | null;
  readonly at: SourcePosition;
}

/**
 * The hosts that names mean. A `*` for one label cannot be said here, since ours stands for one or more: such a pattern opens
 * the hosts that some policy names in full.
 */
export function hostsOf(
  names: readonly Name[],
  known: readonly HostPattern[],
  { canon, note }: Context,
): readonly HostPattern[] {
  return names.flatMap(({ text: written, star, at }): readonly HostPattern[] => {
    const text = written.trim().toLowerCase().replace(/\.$/, "");
    if (!text.includes("*")) {
      const host = bringHost(text, canon);
      if (host.ok) return [host.pattern];
      note(host.code, at, `left out: ${host.why}`);
      return [];
    }
    // `**.` of Cilium is one or more whole labels, as `*.` is here.
    const whole = star === "labels" ? text : text.startsWith("**.") ? text.slice(1) : null;
    if (whole !== null && /^\*\.[^*]+$/.test(whole)) {
      const host = bringHost(whole, canon);
      if (host.ok) return [host.pattern];
      note(host.code, at, `left out: ${host.why}`);
      return [];
    }
    const found = known.filter((host) => matchesName(text, star, host));
    const message = `\`${written}\` stands for names that no pattern here says: opened for ${found.length === 0 ? "none" : found.map((each) => `\`${each}\``).join(", ")}`;
    note("name-pattern", at, message);
    return found;
  });
}

/** The hosts that are written in full. */
export function fullNames(names: readonly Name[], { canon }: Context): readonly HostPattern[] {
  return names.flatMap(({ text }) => {
    const host = text.includes("*") ? null : bringHost(text.trim().toLowerCase().replace(/\.$/, ""), canon);
    return host?.ok === true ? [host.pattern] : [];
  });
}

/** Does a pattern with stars anywhere match a name? Told part by part, without a regular expression of the source's making. */
function matchesName(pattern: string, star: Name["star"], host: string): boolean {
  const within = star === "label" ? "[a-z0-9_-]*" : "[a-z0-9_-]+(\\.[a-z0-9_-]+)*";
  // Few stars, so that no pattern takes long.
  if (pattern === "*" || !/^[a-z0-9_.-]*(\*[a-z0-9_.-]+){0,4}\*?$/.test(pattern)) return false;
  const text = pattern
    .split("*")
    .map((part) => part.replaceAll(".", "\\."))
    .join(within);
  return new RegExp(`^${text}$`).test(host);
}

/** The ports of a list of Kubernetes' or Cilium's; null = every port. `[]` = none that a name is reached by over TCP. */
export function portsOf(
  list:
    | readonly {
        readonly port?: string | number | undefined;
        readonly endPort?: number | undefined;
        readonly protocol?: string | undefined;
      }[]
    | undefined,
  { ports: opened, note }: Context,
  at: SourcePosition,
): readonly number[] | null {
  if (list === undefined || list.length === 0) return null;
  const found = new Set<number>();
  for (const { port, endPort, protocol } of list) {
    if (!["TCP", "ANY", undefined].includes(protocol?.toUpperCase())) continue;
    const number = Number(port ?? 0);
    if (!Number.isInteger(number) || number > 65_535) {
      note("port-by-name", at, `port \`${port}\` is left out: what number it stands for is not known here`);
      continue;
    }
    if (number === 0) return null;
    if (endPort !== undefined && endPort > number) {
      for (const each of opened) if (each.number >= number && each.number <= endPort) found.add(each.number);
      note("any-port", at, `of ports ${number} to ${endPort} those named with \`--port\` are opened`);
    } else found.add(number);
  }
  return [...found];
}
