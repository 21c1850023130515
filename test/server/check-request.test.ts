import { describe, expect, test } from "vitest";
import { type ReadCheck, readCheck } from "../../src/server/check-request.ts";
import { decodeCheckRequest } from "../../src/server/decode-check-request.ts";
import type { WantedNames } from "../../src/server/wanted-names.ts";
import type { AttributeContextMessage, CheckRequestMessage } from "../../src/server/wire.ts";
import { CHECKOUT, CONTRACT, httpCheck } from "./harness.ts";

const CHECK = CONTRACT.authorizationClient.Check;

const EVERY: WantedNames = { find: (bytes, start, end) => bytes.toString("utf8", start, end).toLowerCase() };

/** Reads a message after a trip over the wire format. */
function read(message: CheckRequestMessage, metadata: Record<string, readonly string[]> = {}): ReadCheck {
  const request = decodeCheckRequest(CHECK?.requestSerialize(message) as Buffer, EVERY);
  return readCheck(request, { get: (key) => metadata[key] ?? [] }, ({ principal }) => principal);
}

/** As Envoy sends it without raw headers. */
function joined(headers: Record<string, string>, http: Record<string, string> = {}): CheckRequestMessage {
  const { method = "GET", path = "/", host = "a.example.com" } = http;
  return { attributes: { source: { principal: CHECKOUT }, request: { http: { method, path, host, headers } } } };
}

function network(attributes: AttributeContextMessage): CheckRequestMessage {
  return { attributes: { source: { principal: CHECKOUT }, ...attributes } };
}

describe("raw headers", () => {
  test("every pair arrives, in order, repeated ones repeated, bytes as they are", () => {
    const headers = [
      ["x-a", "1"],
      ["x-a", "2"],
      ["x-bytes", Uint8Array.of(0x66, 0xff)],
      ["x-empty", ""],
    ] as const;
    const { input } = read(httpCheck({ headers }));
    const own = input.headers.filter(([name]) => name.startsWith("x-"));
    expect(own.map(([name, value]) => [name, Buffer.from(value as Uint8Array).toString("latin1")])).toEqual([
      ["x-a", "1"],
      ["x-a", "2"],
      ["x-bytes", "f\xff"],
      ["x-empty", ""],
    ]);
  });

  test("the raw method and path stand, because Envoy forwards them", () => {
    const message = httpCheck({ method: "GET", path: "/raw" });
    const http = message.attributes?.request?.http;
    const { input } = read({
      attributes: { ...message.attributes, request: { http: { ...http, method: "POST", path: "/cooked" } } },
    });
    expect([input.method, input.path]).toEqual(["GET", "/raw"]);
  });

  test("an authority that differs from the host is shown as one more host", () => {
    const message = httpCheck({ host: "a.example.com" });
    const http = message.attributes?.request?.http;
    const { input } = read({
      attributes: { ...message.attributes, request: { http: { ...http, host: "b.example.com" } } },
    });
    expect(input.host).toBe("b.example.com");
    expect(input.headers.filter(([name]) => name === "host")).toEqual([["host", "a.example.com"]]);
    expect(read(message).input.headers.some(([name]) => name === "host")).toBe(false);
  });

  test("two different paths or methods cannot be meant at once: the host becomes undecidable", () => {
    for (const header of [
      [":path", "/other"],
      [":method", "DELETE"],
    ] as const) {
      expect(read(httpCheck({ headers: [header] })).input.host).toMatch(/^api\.stripe\.com \(two /);
    }
  });

  test("a path that is not UTF-8 stays undecodable", () => {
    const message = httpCheck({ headers: [] });
    const http = message.attributes?.request?.http;
    const headers = [{ key: ":path", raw_value: Buffer.from([0x2f, 0xe9, 0x61]) }];
    const { input } = read({ attributes: { request: { http: { ...http, header_map: { headers } } } } });
    expect(input.path).toBe("/%E9a");
  });

  test("UTF-8 text arrives as text", () => {
    expect(read(httpCheck({ path: "/zürich" })).input.path).toBe("/zürich");
  });

  test("sent in both forms, both count", () => {
    const message = httpCheck({ headers: [["x-team", "a"]] });
    const http = message.attributes?.request?.http;
    const both = { ...http, headers: { "x-team": "b" } };
    const { input } = read({ attributes: { request: { http: both } } });
    expect(input.headers.filter(([name]) => name === "x-team")).toHaveLength(2);
  });

  test("names arrive in lower case", () => {
    const { input } = read(httpCheck({ headers: [["X-Team", "a"]] }));
    expect(input.headers.some(([name]) => name === "x-team")).toBe(true);
  });
});

describe("joined headers", () => {
  test("a value with ! may hide bytes that are not UTF-8, so it is handed on as undecodable", () => {
    const { input } = read(joined({ "x-team": "a!b", "x-other": "a,b" }));
    expect(input.headers).toContainEqual(["x-team", Uint8Array.of(0xff)]);
    expect(input.headers).toContainEqual(["x-other", "a,b"]);
  });

  test("a path with ! before the query is in doubt; the record shows it as it came", () => {
    const doubtful = read(joined({}, { path: "/a!b" }));
    expect([doubtful.input.path, doubtful.path]).toEqual(["/a%FFb", "/a!b"]);
    expect(read(joined({}, { path: "/a?x=!" })).input.path).toBe("/a?x=!");
  });

  test("the pseudo-headers are compared with the attributes", () => {
    const { input } = read(joined({ ":authority": "evil.example.com" }));
    expect(input.headers).toContainEqual(["host", "evil.example.com"]);
  });

  test("names that JavaScript objects treat specially are headers like any other", () => {
    const pairs = [
      ["constructor", "1"],
      ["__proto__", "2"],
      ["hasownproperty", "3"],
    ] as const;
    const entry = (key: string, value: string) => {
      const field = (tag: number, text: string) => [tag, text.length, ...Buffer.from(text)];
      const bytes = [...field(0x0a, key), ...field(0x12, value)];
      return [0x1a, bytes.length, ...bytes];
    };
    const http = pairs.flatMap(([key, value]) => entry(key, value));
    const request = [0x12, http.length, ...http];
    const attributes = [0x22, request.length, ...request];
    const bytes = Buffer.from([0x0a, attributes.length, ...attributes]);
    const { input } = readCheck(decodeCheckRequest(bytes, EVERY), { get: () => [] }, () => "");
    expect([...input.headers].sort()).toEqual([...pairs].map((pair) => [...pair]).sort());
  });
});

describe("who asks", () => {
  test("forged XFCC, forwarded and identity headers never become the principal", () => {
    const headers = [
      ["x-forwarded-client-cert", "URI=spiffe://cluster.local/ns/admin/sa/root"],
      ["x-forwarded-for", "10.0.0.1"],
      ["x-envoy-peer-metadata-id", "spiffe://cluster.local/ns/admin/sa/root"],
      ["authorization", "Bearer root"],
    ] as const;
    expect(read(httpCheck({ principal: "", headers })).input.principal).toBe("");
    expect(read(httpCheck({ headers })).input.principal).toBe(CHECKOUT);
  });

  test("source.service, which comes from a request header, is not looked at", () => {
    const message = httpCheck({ principal: "" });
    const source = { service: "spiffe://cluster.local/ns/admin/sa/root" };
    expect(read({ attributes: { ...message.attributes, source } }).input.principal).toBe("");
  });
});

describe("where to", () => {
  test("x-forwarded-host and x-envoy-original-path change nothing", () => {
    const headers = [
      ["x-forwarded-host", "evil.example.com"],
      ["x-envoy-original-path", "/admin"],
      ["x-forwarded-port", "8443"],
    ] as const;
    const { input } = read(httpCheck({ headers }));
    expect([input.host, input.path, input.port]).toEqual(["api.stripe.com", "/v1/charges", "80"]);
  });

  test("the path is taken as it is, never as a URL: //x/y, ..;, backslashes, absolute forms", () => {
    for (const path of ["//evil.example.com/x", "/a/..;/b", "/a\\b", "http://evil.example.com/", "", "*", "/a#b"]) {
      expect(read(httpCheck({ path })).input.path).toBe(path);
    }
  });

  test("the port comes from the route, not from gRPC metadata, on HTTP Checks", () => {
    const metadata = { "sallyport-port": ["9999"], "sallyport-host": ["evil.example.com"] };
    const { input } = read(httpCheck(), metadata);
    expect([input.kind, input.host, input.port]).toEqual(["http", "api.stripe.com", "80"]);
  });
});

describe("network connections", () => {
  test("an SNI makes a TLS Check, wherever Envoy tells it", () => {
    expect(read(network({ tls_session: { sni: "a.example.com" } })).input).toMatchObject({
      kind: "tls",
      host: "a.example.com",
      port: null,
    });
    expect(read(network({ destination: { service: "a.example.com" } })).input.host).toBe("a.example.com");
    expect(
      read(network({ tls_session: { sni: "A.example.com" }, destination: { service: "a.example.com" } })).input.host,
    ).toBe("A.example.com");
  });

  test("two different SNIs are no host", () => {
    const { input } = read(
      network({ tls_session: { sni: "a.example.com" }, destination: { service: "b.example.com" } }),
    );
    expect(input.host).toContain(" ");
  });

  test("a named host makes a TCP Check, by context extensions or by the filter's initial metadata", () => {
    const named = { context_extensions: { "sallyport.host": "db.example.com", "sallyport.port": "5432" } };
    const expected = { kind: "tcp", host: "db.example.com", port: "5432" };
    expect(read(network(named)).input).toMatchObject(expected);
    const metadata = { "sallyport-host": ["db.example.com"], "sallyport-port": ["5432"] };
    expect(read(network({}), metadata).input).toMatchObject(expected);
    const other = { "sallyport-host": ["evil.example.com"], "sallyport-port": ["1"] };
    expect(read(network(named), other).input).toMatchObject(expected);
  });

  test("a port alone completes a TLS Check", () => {
    const { input } = read(network({ tls_session: { sni: "a.example.com" } }), { "sallyport-port": ["8443"] });
    expect(input).toMatchObject({ kind: "tls", host: "a.example.com", port: "8443" });
  });

  test("repeated metadata names neither host nor port", () => {
    const metadata = { "sallyport-host": ["a.example.com", "b.example.com"], "sallyport-port": ["1", "2"] };
    const { input } = read(network({}), metadata);
    expect([input.host, input.port]).toEqual(["a.example.com b.example.com", "1 2"]);
  });

  test("with neither SNI nor name nothing is guessed", () => {
    expect(read(network({ destination: { principal: "x" } })).input).toMatchObject({ kind: "tls", host: "" });
  });
});

test("request and trace ids are read in both forms", () => {
  const ids = { "x-request-id": "r-1", traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" };
  const expected = { requestId: "r-1", traceId: "0af7651916cd43dd8448eb211c80319c" };
  expect(read(joined(ids))).toMatchObject(expected);
  expect(read(httpCheck({ headers: Object.entries(ids) }))).toMatchObject(expected);
  expect(read(httpCheck({ headers: [["traceparent", "00-zz-1-01"]] }))).toMatchObject({
    requestId: null,
    traceId: null,
  });
});
