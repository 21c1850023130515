import { type ClientHttp2Session, connect } from "node:http2";
import { get as getHttps } from "node:https";
import { connect as connectTcp } from "node:net";
import { networkInterfaces } from "node:os";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Authority, createAuthority, type Leaf, uri } from "../../src/cli/demo/pki.ts";
import { writeTlsFiles } from "../server/certificates.ts";
import { CONTRACT, httpCheck } from "../server/harness.ts";
import { type Serving, startServing } from "../support/serve.ts";
import { framed } from "./raw-grpc.ts";

const EGRESS = "spiffe://cluster.local/ns/istio-egress/sa/egress";
const { authorization, accessLog, health, authorizationClient } = CONTRACT;
/** Every method that the listener offers over gRPC. One that is added is asked for here, too. */
const METHODS = [authorization, accessLog, health].flatMap((service) => Object.values(service).map(({ path }) => path));
const PAGES = ["/v1/bundle", "/v1/decisions", "/metrics", "/readyz", "/"];
const LIMIT_MS = 5_000;

let mesh: Authority;
let serving: Serving;
let remove: () => void;
const strangers: [name: string, leaf: Leaf | null][] = [];
let gateway: Leaf;

beforeAll(async () => {
  mesh = await createAuthority();
  const other = await createAuthority("CN=somebody else");
  const files = writeTlsFiles(await mesh.issue([{ type: "dns", value: "localhost" }]), mesh.cert);
  remove = files.remove;
  serving = await startServing({
    "allowed-callers": EGRESS,
    "tls-certificate": files.certificate,
    "tls-key": files.key,
    "tls-client-ca": files.clientCa,
    "audit-to": "none",
    "log-level": "silent",
  });
  gateway = await mesh.issue([uri(EGRESS)]);
  strangers.push(
    ["no certificate", null],
    ["a workload of the mesh", await mesh.issue([uri("spiffe://cluster.local/ns/shop/sa/cart")])],
    ["the gateway's name by another authority", await other.issue([uri(EGRESS)])],
  );
}, 60_000);
afterAll(async () => {
  await serving?.child.stop();
  remove?.();
});

function port(): number {
  return Number(serving.address.split(":").at(-1));
}

function own(leaf: Leaf | null): object {
  const shown = leaf === null ? {} : { cert: leaf.cert, key: leaf.key };
  return { ca: mesh.cert, servername: "localhost", ...shown };
}

/** The gRPC status of one call, as far as there is an answer of any kind. */
function call(leaf: Leaf | null, path: string): Promise<string> {
  const body =
    path.endsWith("/Check") && path.includes("auth")
      ? authorizationClient.Check?.requestSerialize(httpCheck())
      : Buffer.alloc(0);
  return new Promise((resolve) => {
    const session: ClientHttp2Session = connect(`https://127.0.0.1:${port()}`, own(leaf));
    const end = (what: string): void => {
      clearTimeout(timer);
      session.destroy();
      resolve(what);
    };
    const timer = setTimeout(() => end("nothing in time"), LIMIT_MS);
    session.on("error", () => end("no connection")).on("close", () => end("no connection"));
    const stream = session.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
    });
    stream.on("error", () => undefined).on("close", () => end("no connection"));
    stream.on("response", ({ "grpc-status": status }) => end(`answered ${status ?? 0}`));
    stream.end(framed(body ?? Buffer.alloc(0)));
  });
}

/** The status of a page, over HTTP/1.1. */
function page(leaf: Leaf | null, path: string): Promise<string> {
  return new Promise((resolve) => {
    const options = {
      host: "127.0.0.1",
      port: port(),
      path,
      agent: false,
      ALPNProtocols: ["http/1.1"],
      timeout: LIMIT_MS,
      ...own(leaf),
    };
    getHttps(options, (response) => {
      response.resume();
      resolve(`answered ${response.statusCode}`);
    }).on("error", () => resolve("no connection"));
  });
}

describe("who is not listed", () => {
  it("can call nothing that a gateway can, over gRPC", async () => {
    expect(METHODS).toContain("/envoy.service.auth.v3.Authorization/Check");
    expect(METHODS).toContain("/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs");
    const asGateway = await Promise.all(METHODS.map(async (path) => [path, await call(gateway, path)] as const));
    // Streams of the access log and of Watch answer when they end.
    for (const [path, got] of asGateway)
      expect(got, path).toMatch(/Stream|Watch/.test(path) ? /^(answered 0|nothing in time)$/ : /^answered 0$/);
    for (const [name, leaf] of strangers) {
      for (const path of METHODS) expect(await call(leaf, path), `${name} ${path}`).toBe("no connection");
    }
  }, 60_000);

  it("can read no page: policies are for gateways, the rest is on the admin port", async () => {
    expect(await Promise.all(PAGES.map((path) => page(gateway, path)))).toEqual([
      "answered 200",
      ...PAGES.slice(1).map(() => "answered 404"),
    ]);
    for (const [name, leaf] of strangers) {
      for (const path of PAGES) expect(await page(leaf, path), `${name} ${path}`).toBe("no connection");
    }
  }, 60_000);

  it("finds no other way in: not in clear, not by another protocol", async () => {
    const inClear = await new Promise<string>((resolve) => {
      const socket = connectTcp(port(), "127.0.0.1", () =>
        socket.write("GET /v1/bundle HTTP/1.1\r\nhost: localhost\r\n\r\n"),
      );
      let text = "";
      socket.on("data", (part) => (text += part.toString("latin1")));
      socket.on("error", () => undefined).on("close", () => resolve(text));
      socket.setTimeout(LIMIT_MS, () => socket.destroy());
    });
    expect(inClear).not.toContain("HTTP/1.1 200");
    const odd = await new Promise<string>((resolve) => {
      const socket = connectTls({ host: "127.0.0.1", port: port(), ...own(gateway), ALPNProtocols: ["spdy/3"] }, () =>
        resolve("a connection"),
      );
      socket.on("error", () => resolve("no connection")).on("close", () => resolve("no connection"));
    });
    expect(odd).toBe("no connection");
  });

  it("does not reach the admin port from outside", async () => {
    const adminPort = Number(new URL((await serving.page("/livez")).url).port);
    const outside = Object.values(networkInterfaces())
      .flatMap((all) => all ?? [])
      .filter(({ internal, family }) => !internal && family === "IPv4");
    for (const { address } of outside) {
      const got = await new Promise<string>((resolve) => {
        const socket = connectTcp({ port: adminPort, host: address, timeout: LIMIT_MS }, () => resolve("a connection"));
        socket.on("error", () => resolve("refused")).on("timeout", () => resolve("refused"));
      });
      expect(got, address).toBe("refused");
    }
  });
});
