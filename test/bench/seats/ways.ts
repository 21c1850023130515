/** One way to decide a request: what stands in Envoy, and whom it asks. */
export interface Way {
  readonly id: string;
  readonly title: string;
  /** What Envoy does with a request before it is answered. */
  readonly decides: "nothing" | "logs" | "rbac" | "filter" | "asks";
  /** The process beside Envoy; null where there is none. */
  readonly authorizer: "sallyport" | "grpc-go" | null;
  /** How Envoy reaches it: mTLS over loopback, or a Unix socket in clear. */
  readonly transport: "tcp" | "unix";
}

/** What all others are measured against. */
export const NONE: Way = way("none", "no authorization", "nothing", null, "tcp");
/** What the seat's access log costs by itself: its entries hold no decision, and the server passes over them. */
const LOGGED: Way = way("logged", "no authorization, the seat's access log", "logs", "sallyport", "tcp");
const RBAC: Way = way("rbac", "Envoy's RBAC", "rbac", null, "tcp");
export const GATEWAY: Way = way("gateway", "gateway seat", "filter", "sallyport", "tcp");
/** The server seat, by transport. */
export const SERVERS: readonly Way[] = [
  way("server-tcp", "server seat, TCP", "asks", "sallyport", "tcp"),
  way("server-unix", "server seat, Unix socket", "asks", "sallyport", "unix"),
];
/** The yardstick, by transport: whatever it is asked, it allows. */
export const BARE: readonly Way[] = [
  way("grpc-go-tcp", "bare grpc-go, TCP", "asks", "grpc-go", "tcp"),
  way("grpc-go-unix", "bare grpc-go, Unix socket", "asks", "grpc-go", "unix"),
];

/** In the order of the table and of measuring: what is compared most closely is measured one after the other. */
export const WAYS: readonly Way[] = [NONE, GATEWAY, LOGGED, RBAC, ...SERVERS, ...BARE];
export const SIZES: readonly number[] = [10, 1_000, 10_000];

/** Whether a caller that no rule names is refused. */
export function refusesStrangers({ decides, authorizer }: Way): boolean {
  return decides !== "nothing" && decides !== "logs" && authorizer !== "grpc-go";
}

function way(
  id: string,
  title: string,
  decides: Way["decides"],
  authorizer: Way["authorizer"],
  transport: Way["transport"],
): Way {
  return { id, title, decides, authorizer, transport };
}
