import { chmod, rm, stat } from "node:fs/promises";
import type { Server as HttpServer } from "node:http";
import type { ServerHttp2Session } from "node:http2";
import { connect, createServer as createNetServer, type Server as NetServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from "node:tls";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { boundAddress, formatListenAddress, isLocal, type ListenAddress } from "./address.ts";
import type { Admission } from "./admission.ts";
import type { CallerCheck } from "./caller.ts";
import type { TlsSource } from "./certificates/tls-source.ts";
import type { CheckHandler } from "./check-service.ts";
import { answerCheck, isPlainCall } from "./check-stream.ts";
import type { AccessLogService } from "./gateway/access-log-service.ts";
import { onSession, sayGoodbye, tolerateResets } from "./grpc-sessions.ts";
import type { HealthService } from "./health.ts";
import type { WireContract } from "./load-protos.ts";
import { createSessionGuard } from "./session-guard.ts";
import { shedStreams } from "./shed-streams.ts";
import { createStreamShares, FIRST_STREAMS } from "./stream-shares.ts";

/** What a listener needs. */
export interface ListenerOptions {
  readonly address: ListenAddress;
  /** Null = plaintext, which only local addresses may have. */
  readonly tls: TlsSource | null;
  readonly callers: CallerCheck;
  readonly contract: WireContract;
  readonly check: CheckHandler;
  /** Which Checks are taken on. */
  readonly admission: Admission;
  readonly health: HealthService;
  readonly accessLogs: AccessLogService;
  /** Serves policies to listed callers that speak HTTP/1.1 instead of gRPC. */
  readonly policies: HttpServer;
  /** Who may read figures, and nothing else. */
  readonly readers: CallerCheck;
  /** Serves figures to them, over HTTP/1.1. */
  readonly figures: HttpServer;
  /** A caller was refused: its certificate names nobody who is listed. */
  refused(): void;
  /** A connection was ended because it said much and asked nothing. */
  flooded(): void;
  /** Something went wrong that stops nothing. */
  warn(message: string, error: unknown): void;
}

/** One open listener. */
export interface Listener {
  /** The address with the port that was really taken. */
  readonly address: string;
  /** Takes no more connections, says GOAWAY to the present ones, and settles when their calls are done or time is up. */
  shutdown(limitMs: number): Promise<void>;
}

/** Messages beyond this many bytes are refused unread; real Checks have one or two KiB. */
const MAX_MESSAGE_BYTES = 256 * 1024;
const HANDSHAKE_TIMEOUT_MS = 10_000;

const GRPC_OPTIONS = {
  "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
  "grpc.max_concurrent_streams": FIRST_STREAMS,
  "grpc.enable_channelz": 0,
  "grpc.keepalive_time_ms": 30_000,
  "grpc.keepalive_timeout_ms": 10_000,
  // Connections end now and then, so that gateways spread over replicas and certificates are looked at again.
  "grpc.max_connection_age_ms": 30 * 60_000,
  "grpc.max_connection_age_grace_ms": 30_000,
} as const;

/** Clients get so long to hear that a connection ends. */
const GOODBYE_MS = 200;

/**
 * Opens a listener. Connections are accepted, and on TLS their callers checked, before gRPC sees a byte.
 * @throws when plaintext would be open to others, or the address cannot be had
 */
export async function openListener(options: ListenerOptions): Promise<Listener> {
  const { address, tls, warn } = options;
  if (tls === null && !isLocal(address)) {
    throw new Error(`${formatListenAddress(address)} is reachable from outside: it needs certificates (tls)`);
  }
  const peers = new Map<string, string>();
  const server = createGrpcServer(options, peers, tls !== null);
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const guard = createSessionGuard({ ended: options.flooded });
  const shares = createStreamShares((session) => guard.openOn(session));
  let entering: { readonly socket: Socket; readonly caller: string | null } | null = null;
  const callers = new WeakMap<ServerHttp2Session, string | null>();
  onSession(server, (session) => {
    if (entering === null) return;
    callers.set(session, entering.caller);
    guard.watch(session, entering.socket);
    shares.add(session);
  });
  shedStreams(server, options.contract.authorization.Check.path, {
    admit(session) {
      const isAdmitted = options.admission.admit();
      if (!isAdmitted) guard.refused(session);
      return isAdmitted;
    },
    begin(session, stream, headers) {
      const caller = callers.get(session);
      if (caller === undefined || !isPlainCall(headers)) return false;
      guard.count(session, stream);
      answerCheck(stream, headers, { check: options.check, caller, maxMessageBytes: MAX_MESSAGE_BYTES });
      return true;
    },
  });
  const sockets = new Set<Socket>();
  const enter: Enter = (socket, caller) => {
    guard.admit(socket, `${caller ?? ""} ${socket.remoteAddress ?? ""}`, () => {
      // The session is made at once.
      entering = { socket, caller };
      injector.injectConnection(socket);
      entering = null;
    });
  };
  const accept = tls === null ? acceptPlain(enter, sockets) : acceptTls(options, tls, peers, enter, sockets);
  await listen(accept, address);
  accept.on("error", (error) => warn("listener failed", error));
  return {
    address: formatListenAddress(boundAddress(accept.address(), address)),
    async shutdown(limitMs) {
      accept.close();
      guard.close();
      shares.close();
      if (sayGoodbye(server) > 0) await sleep(Math.min(GOODBYE_MS, limitMs));
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => {
          server.forceShutdown();
          resolve();
        }, limitMs);
        server.tryShutdown(() => {
          clearTimeout(timer);
          resolve();
        });
      });
      await endAll(sockets);
    },
  };
}

type LogStream = Parameters<AccessLogService["stream"]>[0];

function createGrpcServer(options: ListenerOptions, peers: ReadonlyMap<string, string>, secure: boolean): Server {
  const { contract, check, health, accessLogs } = options;
  const server = new Server(GRPC_OPTIONS);
  tolerateResets(server);
  const callerOf = (call: { getPeer(): string }) => (secure ? (peers.get(call.getPeer()) ?? null) : null);
  server.addService(contract.authorization, {
    Check(call: Parameters<CheckHandler>[0] & { getPeer(): string }, reply: Parameters<CheckHandler>[2]) {
      check(call, callerOf(call), reply);
    },
  });
  server.addService(contract.accessLog, {
    StreamAccessLogs(call: LogStream, end: Parameters<AccessLogService["stream"]>[2]) {
      accessLogs.stream(call, callerOf(call), end);
    },
  });
  server.addService(contract.health, health.implementation);
  return server;
}

/** Lets go of connections once what was said on them is out. */
async function endAll(sockets: ReadonlySet<Socket>): Promise<void> {
  for (const socket of sockets) socket.end();
  for (const end = Date.now() + GOODBYE_MS; sockets.size > 0 && Date.now() < end; ) await sleep(5);
  for (const socket of sockets) socket.destroy();
}

/** Hands a connection to gRPC; `caller` is the identity of one over mTLS. */
type Enter = (socket: Socket, caller: string | null) => void;

function acceptPlain(enter: Enter, sockets: Set<Socket>): NetServer {
  return createNetServer({ noDelay: true }, (socket) => {
    track(socket, sockets);
    enter(socket, null);
  });
}

function acceptTls(
  { callers, policies, readers, figures, refused }: ListenerOptions,
  source: TlsSource,
  peers: Map<string, string>,
  enter: Enter,
  sockets: Set<Socket>,
): TlsServer {
  const server = createTlsServer(
    {
      ...source.material.options,
      requestCert: true,
      rejectUnauthorized: true,
      ALPNProtocols: ["h2", "http/1.1"],
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      noDelay: true,
    },
    (socket: TLSSocket) => {
      const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined;
      const caller = callers(certificate);
      if (socket.alpnProtocol === "http/1.1" && (caller ?? readers(certificate)) !== null) {
        track(socket, sockets);
        (caller === null ? figures : policies).emit("connection", socket);
        return;
      }
      if (caller === null || socket.alpnProtocol !== "h2") {
        if (caller === null) refused();
        socket.destroy();
        return;
      }
      track(socket, sockets);
      const peer = `${socket.remoteAddress}:${socket.remotePort}`;
      peers.set(peer, caller);
      socket.once("close", () => peers.delete(peer));
      enter(socket, caller);
    },
  );
  source.onChange(({ options }) => server.setSecureContext(options));
  return server;
}

function track(socket: Socket, sockets: Set<Socket>): void {
  sockets.add(socket);
  socket.on("error", ignore);
  socket.once("close", () => sockets.delete(socket));
}

/** A broken connection is the caller's affair. */
function ignore(): void {}

async function listen(server: NetServer, address: ListenAddress): Promise<void> {
  if (address.kind === "unix") await removeStaleSocket(address.path);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    const taken = () => {
      server.off("error", reject);
      resolve();
    };
    if (address.kind === "unix") server.listen({ path: address.path }, taken);
    else server.listen({ host: address.host, port: address.port }, taken);
  });
  if (address.kind === "unix") await chmod(address.path, 0o660);
}

/** Removes a socket file that nobody listens on any more. @throws when somebody does, or it is no socket */
async function removeStaleSocket(path: string): Promise<void> {
  const found = await stat(path).catch(() => null);
  if (found === null) return;
  if (!found.isSocket()) throw new Error(`${path} exists and is not a socket`);
  const alive = await new Promise<boolean>((resolve) => {
    const probe = connect(path, () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", () => resolve(false));
  });
  if (alive) throw new Error(`${path} is in use by another process`);
  await rm(path, { force: true });
}
