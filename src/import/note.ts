import type { SourcePosition } from "../policy/model.ts";

/** What becomes of a construct that is not carried over as it stands. */
export type NoteEffect =
  /** Ours lets less pass than the source. */
  | "narrowed"
  /** It had no say in what passes. */
  | "dropped"
  /** It was not read, since somebody said that it stops nothing. */
  | "unread";

interface CodeEntry {
  readonly effect: NoteEffect;
  readonly meaning: string;
}

/** Codes of notes; stable, listed in docs/import-notes.md. */
export const IMPORT_CODES = {
  "any-port": {
    effect: "narrowed",
    meaning: "The source opens every port of a host. Only the ports given with `--port` are opened.",
  },
  "guarded-host": {
    effect: "narrowed",
    meaning: "An address or an internal name: left out. A root service with `internal: true` opens it.",
  },
  "host-not-expressible": {
    effect: "narrowed",
    meaning: "A pattern that no policy can hold, such as a wildcard over a public suffix: left out, or less is opened.",
  },
  "role-unmapped": {
    effect: "narrowed",
    meaning: "No workload is named for a role of Smokescreen: all of it is left out.",
  },
  "default-rule": {
    effect: "narrowed",
    meaning:
      "Smokescreen's default rule is for every role without one. It is carried over for roles in `--roles` alone.",
  },
  "open-role": {
    effect: "narrowed",
    meaning:
      "A role with action `open` or `report` reaches every host. By the fallback of a group it reaches registered ones.",
  },
  "allow-over-deny": {
    effect: "narrowed",
    meaning:
      "In Smokescreen a role's own allow beats the global deny list. Where only a part is meant, less is opened.",
  },
  "added-headers": {
    effect: "narrowed",
    meaning: "Smokescreen adds headers to requests to a host, which may be what restricts them: the host is left out.",
  },
  "request-logging": {
    effect: "dropped",
    meaning:
      "Smokescreen looks into TLS to a host and logs its requests. Here TLS stays closed, unless the application dials HTTP.",
  },
  "external-proxy": {
    effect: "narrowed",
    meaning: "Going on through another proxy is left out.",
  },
  "workload-labels": {
    effect: "narrowed",
    meaning:
      "Pods are meant by their labels. A workload is its service account here: without `--workloads` they are left out.",
  },
  "not-for-the-gateway": {
    effect: "dropped",
    meaning: "It holds elsewhere than at the egress gateway.",
  },
  "may-refuse": {
    effect: "narrowed",
    meaning:
      "An object that may refuse what the rest lets pass, in ways that cannot be told from it: nothing that it may touch is opened. `--assume-open KIND/NAMESPACE/NAME` says that it refuses nothing.",
  },
  "assumed-open": {
    effect: "unread",
    meaning: "An object that may refuse something, of which `--assume-open` says that it refuses nothing.",
  },
  protocol: {
    effect: "narrowed",
    meaning: "A port whose protocol nothing here stands for, or that only addresses could tell: left out.",
  },
  "no-names": {
    effect: "narrowed",
    meaning: "A network policy opens addresses. Here hosts are opened by name: left out.",
  },
  "name-pattern": {
    effect: "narrowed",
    meaning:
      "A `*` that stands for a part of a name or for one label. It is opened for the hosts that another policy names in full.",
  },
  "port-by-name": { effect: "narrowed", meaning: "A port that is named, or a range in words: left out." },
  "deny-by-address": {
    effect: "narrowed",
    meaning: "A network policy denies addresses, which any name may lead to: here the same ports of all names.",
  },
  "earlier-deny": {
    effect: "narrowed",
    meaning: "Calico decides by the first rule that matches. What a rule that may come first might stop is left out.",
  },
  "not-for-pods": { effect: "dropped", meaning: "It is for nodes, which no workload is." },
  "from-everyone": {
    effect: "narrowed",
    meaning:
      "An allow for everyone, also for callers without a certificate or of another trust domain. Here it is for the mesh's own workloads.",
  },
  "no-allow-policy": {
    effect: "narrowed",
    meaning:
      "Istio lets everyone pass while no policy allows anything. Here an allow says so, for the mesh's own workloads and what is registered.",
  },
  "identity-not-expressible": {
    effect: "narrowed",
    meaning:
      "A pattern of principals or namespaces that no selector says, or a foreign trust domain: left out of an allow.",
  },
  "method-not-expressible": {
    effect: "narrowed",
    meaning: "Methods are compared whole here: patterns, and whatever is no standard method, are left out of an allow.",
  },
  "path-not-expressible": {
    effect: "narrowed",
    meaning: "A path of an allow that no pattern here says (a suffix, escapes, `{**}` in the middle): left out.",
  },
  "condition-not-expressible": {
    effect: "narrowed",
    meaning: "An allow asks for what no rule here can ask for: it, or the value, is left out.",
  },
  "deny-broadened": {
    effect: "narrowed",
    meaning: "A deny asks for what no rule here can ask for: it stops whatever matches the rest of it.",
  },
  "custom-action": {
    effect: "narrowed",
    meaning: "Who decides by the action CUSTOM is not in the objects: what such a policy matches is denied.",
  },
  "perhaps-the-gateway": {
    effect: "narrowed",
    meaning: "Whether a policy is for the gateway cannot be told: it denies, and it allows nothing.",
  },
  "decides-nothing": { effect: "dropped", meaning: "A policy that only tells: AUDIT, or a dry run." },
  "inside-the-mesh": { effect: "narrowed", meaning: "A host inside the mesh: left out." },
  "client-certificate": {
    effect: "narrowed",
    meaning:
      "A client certificate in files of the gateway. Here it comes from a secret: the connection is made without.",
  },
  "route-stops": {
    effect: "narrowed",
    meaning:
      "A route of a VirtualService answers itself, changes requests or leads elsewhere: what it takes is denied, or not opened.",
  },
  "route-narrowed": {
    effect: "narrowed",
    meaning: "A route takes requests by what no rule here can ask for, or none takes them to the host: not opened.",
  },
  "not-through-gateway": {
    effect: "narrowed",
    meaning: "A host that no route brings to a gateway: sidecars dial it, and nobody asks. Here rules decide.",
  },
  "not-seen-everywhere": {
    effect: "narrowed",
    meaning:
      "An allow is for workloads of any namespace, and a Sidecar or `exportTo` hides the host from some: it is opened to those that are named.",
  },
  "described-twice": {
    effect: "narrowed",
    meaning: "One host and port is described in two ways. The first counts, and what the second opens is closed.",
  },
  "aims-at-nothing": {
    effect: "narrowed",
    meaning: "A rule is about hosts or ports that the source registers nowhere: left out.",
  },
} as const satisfies Record<string, CodeEntry>;

export type ImportCode = keyof typeof IMPORT_CODES;

/** Something of the source that is not carried over exactly. Only what is `unread` can open more than the source did. */
export interface ImportNote {
  readonly code: ImportCode;
  /** In the source. */
  readonly at: SourcePosition;
  /** What the source says there, and what became of it; one line. */
  readonly message: string;
}

/** Do the imported policies decide as the source does? Not if they let less pass, or something was not read. */
export function isExact(notes: readonly ImportNote[]): boolean {
  return notes.every(({ code }) => IMPORT_CODES[code].effect === "dropped");
}
