import { describe, expect, it } from "vitest";
import { importIstio } from "../../../src/import/istio/import.ts";
import { reportOf } from "../../../src/import/report.ts";
import { deciderOf, OPTIONS, sourceFile } from "../support/decide.ts";

const object = (kind: string, name: string, spec: string, group = "networking"): string =>
  `---\napiVersion: ${group}.istio.io/v1\nkind: ${kind}\nmetadata: {name: ${name}, namespace: istio-egress}\nspec: ${spec}\n`;

const GATEWAY = "egress.istio-egress.svc.cluster.local";
const TO_GATEWAY = `route: [{destination: {host: ${GATEWAY}, port: {number: 443}}}]`;
const TO_HOST = "route: [{destination: {host: api.example.com, port: {number: 80}}}]";
const HTTPS = "{port: {number: 443, name: https, protocol: HTTPS}, hosts: ['*'], tls: {mode: ISTIO_MUTUAL}}";
const SIDECARS = `{match: [{gateways: [mesh]}], ${TO_GATEWAY}}`;

interface Parts {
  readonly routes?: string;
  readonly servers?: string;
  readonly rules?: string;
  readonly hosts?: string;
  readonly more?: string;
}

function meshOf({ routes, servers = HTTPS, rules = "{}", hosts = "api.example.com", more = "" }: Parts): string {
  return [
    object("ServiceEntry", "api", "{hosts: [api.example.com], ports: [{number: 80, name: http, protocol: HTTP}]}"),
    object("AuthorizationPolicy", "web", `{rules: [${rules}]}`, "security"),
    object("Gateway", "egress", `{selector: {istio: egressgateway}, servers: [${servers}]}`),
    routes === undefined
      ? ""
      : object("VirtualService", "api", `{hosts: ["${hosts}"], gateways: [mesh, egress], http: [${routes}]}`),
    more,
  ].join("");
}

const ASKED = [
  { from: "shop/web", to: "GET http://api.example.com/v1/a" },
  { from: "shop/web", to: "POST http://api.example.com/v1/a" },
  { from: "shop/web", to: "GET http://api.example.com/v2" },
  { from: "shop/web", to: "GET http://api.example.com/v2", headers: { "x-team": "red" } },
  { from: "other/web", to: "GET http://api.example.com/v1/a" },
];

/** Which of the requests pass: one sign each. */
function passing(parts: Parts): string {
  const ours = deciderOf(importIstio([sourceFile("mesh.yaml", meshOf(parts))], null, OPTIONS));
  return ASKED.map((each) => (ours.allows(each) ? "+" : "-")).join("");
}

const ALL = "+++++";
const NONE = "-----";
/** Routes of the sidecars to the gateway, then these at the gateway. */
const atGateway = (routes: string): Parts => ({ routes: `${SIDECARS}, ${routes}` });
const plain = `{match: [{gateways: [egress]}], ${TO_HOST}}`;

describe("import istio carries routes over", () => {
  it.each<[string, Parts, string]>([
    ["none: sidecars dial the host", {}, ALL],
    ["to the gateway and out", atGateway(plain), ALL],
    ["to the gateway, and no further", atGateway(""), NONE],
    ["not from the sidecars", { routes: plain }, ALL],
    ["straight to the host", { routes: `{${TO_HOST}}` }, ALL],
    ["by a prefix", atGateway(`{match: [{gateways: [egress], uri: {prefix: /v1/}}], ${TO_HOST}}`), "++--+"],
    ["by a method", atGateway(`{match: [{gateways: [egress], method: {exact: POST}}], ${TO_HOST}}`), "-+---"],
    ["by a header", atGateway(`{match: [{gateways: [egress], headers: {x-team: {exact: red}}}], ${TO_HOST}}`), "---+-"],
    [
      "by one of two",
      atGateway(
        `{match: [{gateways: [egress], uri: {exact: /v2}}, {gateways: [egress], method: {exact: POST}}], ${TO_HOST}}`,
      ),
      "-+++-",
    ],
    ["by namespace", { routes: `{match: [{sourceNamespace: other}], ${TO_HOST}}` }, "----+"],
    ["by labels of pods", { routes: `{match: [{sourceLabels: {app: web}}], ${TO_HOST}}` }, NONE],
    ["by a regular expression", atGateway(`{match: [{gateways: [egress], uri: {regex: /v1.*}}], ${TO_HOST}}`), NONE],
    [
      "by what a header is not",
      atGateway(`{match: [{gateways: [egress], withoutHeaders: {x-team: {exact: red}}}], ${TO_HOST}}`),
      NONE,
    ],
    ["on another port", { routes: `{match: [{port: 8080}], ${TO_HOST}}` }, ALL],
    [
      "but for a part that is answered",
      atGateway(`{match: [{gateways: [egress], uri: {prefix: /v1/}}], directResponse: {status: 403}}, ${plain}`),
      "--++-",
    ],
    [
      "but for a part that is aborted",
      atGateway(
        `{match: [{gateways: [egress], method: {exact: POST}}], fault: {abort: {httpStatus: 500}}, ${TO_HOST}}, ${plain}`,
      ),
      "+-+++",
    ],
    [
      "with a fault that only delays",
      atGateway(`{match: [{gateways: [egress]}], fault: {delay: {fixedDelay: 1s}}, timeout: 5s, ${TO_HOST}}`),
      ALL,
    ],
    ["redirected", atGateway("{match: [{gateways: [egress]}], redirect: {uri: /}}"), NONE],
    ["delegated", atGateway("{match: [{gateways: [egress]}], delegate: {name: other}}"), NONE],
    ["rewritten", atGateway(`{match: [{gateways: [egress]}], rewrite: {uri: /}, ${TO_HOST}}`), NONE],
    [
      "with a header set",
      atGateway(`{match: [{gateways: [egress]}], headers: {request: {set: {a: b}}}, ${TO_HOST}}`),
      NONE,
    ],
    [
      "with a header of the answer removed",
      atGateway(`{match: [{gateways: [egress]}], headers: {response: {remove: [a]}}, ${TO_HOST}}`),
      ALL,
    ],
    [
      "with a key that nobody knows yet",
      atGateway(`{match: [{gateways: [egress]}], limit: {rate: 1}, ${TO_HOST}}`),
      NONE,
    ],
    ["to another host", { routes: "{route: [{destination: {host: elsewhere.example.net}}]}" }, NONE],
    [
      "to a port that is not registered",
      { routes: "{route: [{destination: {host: api.example.com, port: {number: 81}}}]}" },
      NONE,
    ],
    [
      "to a subset that is not there",
      { routes: "{route: [{destination: {host: api.example.com, subset: v1}}]}" },
      NONE,
    ],
    [
      "to a subset",
      {
        routes: "{route: [{destination: {host: api.example.com, subset: v1}}]}",
        more: object("DestinationRule", "api", "{host: api.example.com, subsets: [{name: v1}]}"),
      },
      ALL,
    ],
    [
      "to a subset of labels",
      {
        routes: "{route: [{destination: {host: api.example.com, subset: v1}}]}",
        more: object("DestinationRule", "api", "{host: api.example.com, subsets: [{name: v1, labels: {a: b}}]}"),
      },
      NONE,
    ],
    [
      "some of the time elsewhere",
      {
        routes:
          "{route: [{destination: {host: api.example.com}, weight: 99}, {destination: {host: b.example.net}, weight: 1}]}",
      },
      NONE,
    ],
    [
      "never elsewhere",
      {
        routes:
          "{route: [{destination: {host: api.example.com}, weight: 100}, {destination: {host: b.example.net}, weight: 0}]}",
      },
      ALL,
    ],
    [
      "for a wildcard over the host",
      { ...atGateway(`{match: [{gateways: [egress], uri: {prefix: /v1/}}], ${TO_HOST}}`), hosts: "*.example.com" },
      "++--+",
    ],
    ["for another host", { routes: "{directResponse: {status: 403}}", hosts: "www.example.com" }, ALL],
    ["to a server of other hosts", { ...atGateway(plain), servers: HTTPS.replace("'*'", "'*.example.net'") }, NONE],
    [
      "to a server of another namespace's routes",
      { ...atGateway(plain), servers: HTTPS.replace("'*'", "'apps/*'") },
      NONE,
    ],
    [
      "to a server that checks clients",
      { ...atGateway(plain), servers: HTTPS.replace("ISTIO_MUTUAL", "ISTIO_MUTUAL, subjectAltNames: [a]") },
      NONE,
    ],
    [
      "to a server on an address of its own",
      { ...atGateway(plain), servers: HTTPS.replace("hosts:", "bind: 127.0.0.1, hosts:") },
      NONE,
    ],
    [
      "to a server that redirects",
      { ...atGateway(plain), servers: HTTPS.replace("ISTIO_MUTUAL", "ISTIO_MUTUAL, httpsRedirect: true") },
      NONE,
    ],
    ["to a server for connections", { ...atGateway(plain), servers: HTTPS.replace("HTTPS", "TLS") }, NONE],
    [
      "to a server that knows nobody",
      { ...atGateway(plain), servers: "{port: {number: 443, name: http, protocol: HTTP}, hosts: ['*']}" },
      ALL,
    ],
    [
      "to a server that knows nobody, for allows by name",
      {
        ...atGateway(plain),
        rules: "{from: [{source: {namespaces: [shop, other]}}]}",
        servers: "{port: {number: 443, name: http, protocol: HTTP}, hosts: ['*']}",
      },
      NONE,
    ],
    [
      "to a server that knows everybody, for allows by name",
      { ...atGateway(plain), rules: "{from: [{source: {namespaces: [shop]}}]}" },
      "++++-",
    ],
  ])("%s", (_, parts, expected) => {
    expect(passing(parts)).toBe(expected);
  });

  it("puts routes of one host at the gateway together", () => {
    const more = object(
      "VirtualService",
      "two",
      `{hosts: [api.example.com], gateways: [egress], http: [{match: [{method: {exact: POST}}], ${TO_HOST}}]}`,
    );
    expect(passing({ ...atGateway(`{match: [{gateways: [egress], uri: {prefix: /v2}}], ${TO_HOST}}`), more })).toBe(
      "-+++-",
    );
  });

  it("holds the bounds of a host against allows of a wildcard over it", () => {
    const more = object(
      "ServiceEntry",
      "all",
      '{hosts: ["*.example.com"], ports: [{number: 80, name: http, protocol: HTTP}]}',
    );
    const text = meshOf({ ...atGateway(`{match: [{gateways: [egress], uri: {prefix: /v1/}}], ${TO_HOST}}`), more });
    const ours = deciderOf(importIstio([sourceFile("mesh.yaml", text)], null, OPTIONS));
    expect(ours.allows({ from: "shop/web", to: "GET http://api.example.com/v2" })).toBe(false);
    expect(ours.allows({ from: "shop/web", to: "GET http://api.example.com/v1/a" })).toBe(true);
    expect(ours.allows({ from: "shop/web", to: "GET http://www.example.com/v2" })).toBe(true);
  });

  it("takes somebody's word that a VirtualService stops nothing", () => {
    const text = meshOf(atGateway(`{match: [{gateways: [egress], uri: {regex: /v1.*}}], ${TO_HOST}}`));
    const assumed = [{ kind: "VirtualService", namespace: null, name: "api" }];
    const imported = importIstio([sourceFile("mesh.yaml", text)], null, { ...OPTIONS, assumed });
    expect(deciderOf(imported).allows({ from: "shop/web", to: "GET http://api.example.com/v2" })).toBe(true);
    expect(imported.ok && reportOf(imported).map(({ code }) => code)).toContain("assumed-open");
  });

  it("says with file and line what a route kept closed", () => {
    const text = meshOf(
      atGateway(
        `{match: [{gateways: [egress], uri: {regex: /v1.*}}], ${TO_HOST}}, {match: [{gateways: [egress]}], redirect: {uri: /}}`,
      ),
    );
    const imported = importIstio([sourceFile("mesh.yaml", text)], null, OPTIONS);
    const told = (imported.ok ? reportOf(imported) : []).map(({ code, at }) => `${code} ${at.file}:${at.line}`);
    expect(told).toContain("route-narrowed mesh.yaml:20");
    expect(told).toContain("route-stops mesh.yaml:20");
  });
});
