/** What becomes of the objects of a kind. */
export type Treatment =
  /** As it stands where ours can say it, else narrower. */
  | "carried over"
  /** What it may refuse cannot be told from the object: nothing of that is opened, unless somebody says that it refuses nothing. */
  | "withheld"
  /** It refuses nothing that the rest would let pass. */
  | "nothing";

export interface IstioKind {
  readonly kind: string;
  readonly treatment: Treatment;
  /** What it can refuse on the way out, and what becomes of it. */
  readonly why: string;
}

/** Every kind of Istio's API by its group, and what an import makes of it. Listed in docs/import-notes.md. */
export const ISTIO_KINDS = {
  "networking.istio.io": [
    {
      kind: "ServiceEntry",
      treatment: "carried over",
      why: "What is registered. With `endpoints` of its own or a `workloadSelector` others answer for its hosts: withheld.",
    },
    {
      kind: "Sidecar",
      treatment: "carried over",
      why: "A workload is let to what its namespace's Sidecars list. What is not registered is denied here, whatever `outboundTrafficPolicy` says.",
    },
    {
      kind: "VirtualService",
      treatment: "carried over",
      why: "An allow keeps to what the routes of sidecar and gateway take along; what they answer themselves, or send elsewhere, is not opened.",
    },
    {
      kind: "Gateway",
      treatment: "carried over",
      why: "What a route sends to a port of the gateway has to be in the hosts of a server there. Without `ISTIO_MUTUAL` nobody has a name at the gateway, so allows by name open nothing. Other TLS settings that check clients: nothing passes that server.",
    },
    {
      kind: "DestinationRule",
      treatment: "carried over",
      why: "How TLS is made. A route to a subset without a rule, or of labels, leads nowhere; a `tunnel` goes through another proxy: withheld.",
    },
    {
      kind: "EnvoyFilter",
      treatment: "withheld",
      why: "Anything. With patches for gateways at the egress gateway: all of it; for sidecars on their way out: what its namespace is let to, in `istio-system` all.",
    },
    { kind: "ProxyConfig", treatment: "nothing", why: "Threads, environment and image of proxies." },
    {
      kind: "WorkloadEntry",
      treatment: "nothing",
      why: "Machines inside the mesh; a ServiceEntry that selects them is withheld.",
    },
    { kind: "WorkloadGroup", treatment: "nothing", why: "How machines inside the mesh are registered." },
  ],
  "security.istio.io": [
    {
      kind: "AuthorizationPolicy",
      treatment: "carried over",
      why: "Who may do what at the gateway. With `targetRefs` in another namespace it holds for what a waypoint there serves: that is withheld.",
    },
    {
      kind: "RequestAuthentication",
      treatment: "withheld",
      why: "At the gateway, requests with a token that it does not accept. What no token comes with passes there, but no rule here asks for that: requests are withheld, connections not.",
    },
    {
      kind: "PeerAuthentication",
      treatment: "nothing",
      why: "It holds for what sidecars accept; at a gateway the servers of `Gateway` say it, and here whoever has no certificate is denied.",
    },
  ],
  "extensions.istio.io": [
    {
      kind: "WasmPlugin",
      treatment: "withheld",
      why: "Anything of requests, with `type: NETWORK` of connections too: at the gateway all, at sidecars, unless it is for `SERVER` alone, what its namespace is let to.",
    },
    { kind: "TrafficExtension", treatment: "withheld", why: "As a WasmPlugin; one in Lua sees requests." },
  ],
  "telemetry.istio.io": [{ kind: "Telemetry", treatment: "nothing", why: "Logs, metrics and traces." }],
} as const satisfies Record<string, readonly IstioKind[]>;

/** Is this a kind of Istio that is not known here, such as one that a later release adds? */
export function isUnknownKind(group: string, kind: string): boolean {
  if (!Object.hasOwn(ISTIO_KINDS, group)) return /(^|\.)istio\.io$/.test(group);
  return !ISTIO_KINDS[group as keyof typeof ISTIO_KINDS].some((each) => each.kind === kind);
}

/** May an object of this kind refuse traffic that others let pass? What only adds to the registry, or opens a port, does not. */
export function mayRefuse(group: string, kind: string): boolean {
  if (isUnknownKind(group, kind)) return true;
  if (!Object.hasOwn(ISTIO_KINDS, group)) return false;
  const kinds: readonly IstioKind[] = ISTIO_KINDS[group as keyof typeof ISTIO_KINDS];
  return (
    !["ServiceEntry", "Gateway"].includes(kind) && kinds.find((each) => each.kind === kind)?.treatment !== "nothing"
  );
}
