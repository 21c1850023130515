/** One way to decide a request: what stands in Envoy, and whom it asks. */
export interface Way {
  readonly id: string;
  readonly title: string;
  /** What Envoy does with a request before it is answered. */
  readonly decides: "nothing" | "logs" | "rbac" | "filter" | "asks";
  /** The process beside Envoy; null where there is none. */
  readonly authorizer: "sallyport" | BareAuthorizer | null;
  /** How Envoy reaches it: mTLS over loopback, or a Unix socket in clear. */
  readonly transport: Transport;
  /** Of Envoy, each with a connection of its own to the authorizer. */
  readonly workers: number;
}

type Transport = "tcp" | "unix";
/** What is asked and always allows: the yardsticks. */
type BareAuthorizer = "grpc-go" | "grpc-js";

const AUTHORIZERS = {
  sallyport: { id: "server", title: "server seat" },
  "grpc-go": { id: "grpc-go", title: "bare grpc-go" },
  "grpc-js": { id: "grpc-js", title: "bare grpc-js" },
} as const;
const TRANSPORTS: readonly Transport[] = ["tcp", "unix"];

/** What all others are measured against. */
export const NONE: Way = alone("none", "no authorization", "nothing", null);
/** What the seat's access log costs by itself: its entries hold no decision, and the server passes over them. */
export const LOGGED: Way = alone("logged", "no authorization, the seat's access log", "logs", "sallyport");
const RBAC: Way = alone("rbac", "Envoy's RBAC", "rbac", null);
export const GATEWAY: Way = alone("gateway", "gateway seat", "filter", "sallyport");
/** The server seat, by transport. */
export const SERVERS: readonly Way[] = TRANSPORTS.map((transport) => asking("sallyport", transport));
/** What a user might write first, in the language of the server seat, by transport. */
export const GRPC_JS: readonly Way[] = TRANSPORTS.map((transport) => asking("grpc-js", transport));
export const GRPC_GO: readonly Way[] = TRANSPORTS.map((transport) => asking("grpc-go", transport));

/** In the order of the table and of measuring: what is compared most closely is measured one after the other. */
export const WAYS: readonly Way[] = [NONE, GATEWAY, LOGGED, RBAC, ...SERVERS, ...GRPC_JS, ...GRPC_GO];
/** One and two connections of an Envoy to its authorizer, by transport. */
export const CONNECTED: readonly Way[] = TRANSPORTS.flatMap((transport) =>
  [1, 2].flatMap((workers) => [asking("sallyport", transport, workers), asking("grpc-js", transport, workers)]),
);
/** The largest size. */
export const MOST = 10_000;
export const SIZES: readonly number[] = [10, 1_000, MOST];

/** The same question asked of another. */
export function insteadOf({ transport, workers }: Way, authorizer: BareAuthorizer): Way {
  return asking(authorizer, transport, workers);
}

/** The same asked by an Envoy with one worker. */
export function withOneWorker(way: Way): Way {
  return way.authorizer === null ? way : asking(way.authorizer, way.transport);
}

/** Whether a caller that no rule names is refused. */
export function refusesStrangers({ decides, authorizer }: Way): boolean {
  return decides !== "nothing" && decides !== "logs" && (authorizer === "sallyport" || authorizer === null);
}

function alone(id: string, title: string, decides: Way["decides"], authorizer: Way["authorizer"]): Way {
  return { id, title, decides, authorizer, transport: "tcp", workers: 1 };
}

function asking(authorizer: keyof typeof AUTHORIZERS, transport: Transport, workers = 1): Way {
  const { id, title } = AUTHORIZERS[authorizer];
  return {
    id: `${id}-${transport}${workers === 1 ? "" : `-${workers}`}`,
    title: `${title}, ${transport === "tcp" ? "TCP" : "Unix socket"}${workers === 1 ? "" : `, ${workers} workers`}`,
    decides: "asks",
    authorizer,
    transport,
    workers,
  };
}
