import type { PolicySet, SourcePosition } from "../policy/model.ts";

/** One generated file before it is written out. */
export interface FileDraft {
  /** Relative to the output directory, with `/` separators, ending in `.yaml`. */
  readonly path: string;
  /** One sentence for whoever opens the file: what is in it and why. */
  readonly purpose: string;
  /** Policy files, relative to the policy directory, that say what is in it. */
  readonly sources: readonly string[];
  /** All of the policy set that the documents depend on, and nothing else: its digest is the file's. */
  readonly inputs: unknown;
  /** Plain data, one YAML document each, in this order. Keys stay in the order they have here. */
  readonly documents: readonly object[];
}

/** Something that the target cannot express, or expresses more weakly than the policies say. */
export interface GenerateNote {
  readonly code: NoteCode;
  /** `error`: what the policies ask for cannot be generated safely, so no file is written. */
  readonly severity: "warning" | "error";
  readonly at: SourcePosition;
  readonly message: string;
  readonly fix: string;
}

/** Codes of notes; stable, listed in docs/generate-notes.md. */
export const NOTE_CODES = {
  "model-enforces-nothing": "Under AllowAny no gateway is in the path: nothing is enforced.",
  "narrower-than-namespace": "Under RegistryOnly only whole namespaces are told apart; a rule is narrower.",
  "originates-at-sidecar": "TLS made by the sidecar hides requests from the gateway, which then decides by name only.",
  "gateway-own-port": "A name that leads to the gateway itself would reach a port that it serves in clear.",
  "server-speaks-first":
    "A TCP server that speaks first waits for ever: nothing is dialled before the client's first bytes.",
  "tcp-without-addresses": "Without addresses, whatever dials the TCP port is taken to mean the service.",
  "tls-by-address": "TLS to an address says no name, so nobody can be asked about it.",
  "wildcard-not-expressible": "The target cannot forward a wildcard host safely.",
  "waypoint-without-principal": "Ambient waypoints give the authorizer no principal: every workload is refused.",
  "not-expressible": "The target has no object for this.",
  "native-needs-authorizer": "A rule asks for more than identity and host, which only the authorizer can decide.",
  "no-authorizer": "The gateway names no authorizer, so there is nobody to ask.",
  "fails-open": "failOpen lets everything pass while the authorizer is away.",
  "ungoverned-namespaces": "Network policies hold only in the namespaces that the policies name.",
  "no-gateway-selector": "The gateway names no labels of its pods, so they cannot be told from others.",
  "ambiguous-route": "Traffic is sent on to a service without saying to which of its hosts.",
  "seat-asks": "The target has the gateway ask about each request, though by the policies it would decide itself.",
  "inner-sni-unchecked": "Nothing holds the application's own SNI to the host that was authorised.",
} as const;

export type NoteCode = keyof typeof NOTE_CODES;

/** What a target makes of a policy set. */
export interface Generated {
  readonly files: readonly FileDraft[];
  readonly notes: readonly GenerateNote[];
}

/** Choices that are not in the policies. */
export interface GenerateOptions {
  /** Istio: native ALLOW and DENY policies in place of the authorizer. */
  readonly native: boolean;
  /** The filter's code, for configurations that carry it; asked for only then. */
  readonly filterCode?: () => Uint8Array;
}

/** One target of `sallyport generate`. Pure: the same set and options give the same files. */
export interface Target {
  readonly name: string;
  /** One line for `--help`. */
  readonly summary: string;
  generate(set: PolicySet, options: GenerateOptions): Generated;
}
