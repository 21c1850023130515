import type { HeaderPair, Request } from "../oracle/target.ts";
import type { GeneratedSet } from "./realise.ts";
import type { RequestDraft } from "./request-draft.ts";
import { BOUNDARIES_MS, FEDERATED, HOSTS, INTERNAL, PORTS, pick } from "./universe.ts";

/** A question at an instant. */
export interface Question {
  readonly request: Request;
  readonly nowMs: number;
}

interface Aims {
  readonly domains: readonly string[];
  readonly services: readonly { readonly hosts: readonly string[]; readonly ports: readonly Port[] }[];
}

interface Port {
  readonly number: number;
  readonly protocol: string;
}

interface Loose {
  readonly kind: string;
  readonly spec: { readonly trustDomains?: string[]; readonly hosts: string[]; readonly ports: Port[] };
}

/** What a set gives to aim at. */
export function aimsOf({ documents }: GeneratedSet): Aims {
  const docs = documents.map(({ doc }) => doc as Loose);
  const domains = docs.find(({ kind }) => kind === "EgressGateway")?.spec.trustDomains ?? ["cluster.local"];
  return { domains, services: docs.filter(({ kind }) => kind === "ExternalService").map(({ spec }) => spec) };
}

/** Hosts that no set registers: guarded, unknown, or no host at all. */
const STRAYS = [
  ...[
    "10.0.0.2",
    "127.0.0.1",
    "8.8.8.8",
    "[::1]",
    "[::]",
    "[2001:DB8::0001]",
    "[2001:0db8:0:0:0:0:0:1]",
    "[2001:db8::0.0.0.1]",
    "[::ffff:10.0.0.1]",
  ],
  ...[
    "localhost",
    "x.localhost",
    "metadata.google.internal",
    "x.metadata.goog",
    "instance-data.ec2.internal",
    "metadata.azure.internal",
  ],
  ...[
    "metadata.tencentyun.com",
    "metadata.platformequinix.com",
    "x.metadata.packet.net",
    "single",
    "web.shop.svc",
    "svc",
    "x.cluster.local",
  ],
  ...[
    "cluster.local",
    "xcluster.local",
    "k8s.example.com",
    "x.k8s.example.com",
    "web.shop.svc.k8s.example.com",
    "web.shop.svc.example.com",
  ],
  ...[
    "unknown.example.net",
    "com",
    "example.com.evil.net",
    "evilexample.com",
    "api.example.com.example.org",
    "a.b.c.d.example.com",
    "metadata.goog.example.com",
  ],
] as const;

const MALFORMED = [
  ...[
    "",
    ".",
    "..",
    ".com",
    "a..example.com",
    "api.example.com..",
    ".api.example.com",
    "-a.example.com",
    "a-.example.com",
    "api.ex_ample.com",
  ],
  ...[
    "api._example.com",
    "_a.example.com.x_",
    "u@api.example.com",
    "api.example.com@evil.net",
    "api%2eexample.com",
    "api.example.com/x",
    "api.example.com#",
    "api.example.com?",
  ],
  ...[
    "api.example.com:80:80",
    "api.example.com:80.evil.net",
    "api.example.com:443@evil.net",
    " api.example.com",
    "api.example.com ",
    "api.example.com\u0000",
  ],
  ...[
    "api.example.com\r\n",
    "\u212aapi.example.com",
    "apı.example.com",
    "api.exämple.com",
    "api。example.com",
    "*.example.com",
    "api.example.com\u007f",
    "a\\b.example.com",
  ],
  ...[
    "1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "127.0.0.01",
    "127.0.0.1.",
    "256.0.0.1",
    "1.2.3.4.5",
    "1.2.3",
    "a.0x",
    "a.0xfg",
    "a.1",
    "0x.0x",
    "a.0X7F",
  ],
  ...[
    "::1",
    "[::1",
    "::1]",
    "[::1]x",
    "[::1].",
    "[]",
    "[:]",
    "[:::]",
    "[1::2::3]",
    "[1:2:3:4:5:6:7]",
    "[1:2:3:4:5:6:7:8]",
    "[1:2:3:4:5:6:7::]",
    "[::2:3:4:5:6:7:8]",
  ],
  ...[
    "[1:2:3:4:5:6:7:8:9]",
    "[1:2:3:4::5:6:7:8]",
    "[::1%25eth0]",
    "[fe80::1%lo]",
    "[::12345]",
    "[::g]",
    "[::1.2.3]",
    "[::1.2.3.04]",
    "[1.2.3.4::]",
    "[::1.2.3.4:5]",
  ],
  ...[
    "[1:2:3:4:5:6:1.2.3.4]",
    "[1:2:3:4:5:6:7:1.2.3.4]",
    "[0:0:1:0:0:0:0:1]",
    "[1:0:0:2:0:0:3:4]",
    "[1:0:2:3:4:5:6:7]",
    "[::ffff:1.2.3.256]",
    "[ ::1]",
    "[:1:2:3:4:5:6:7]",
  ],
  ...[
    `${"a".repeat(63)}.example.com`,
    `${"a".repeat(64)}.example.com`,
    `${"a.".repeat(120)}b.example.com`,
    `${"a.".repeat(121)}example.com`,
    `${"a.".repeat(121)}example.com.`,
  ],
  ...[
    `${"a.".repeat(120)}bb.example.com`,
    `${"a.".repeat(120)}bb.example.com.`,
    "a--b.example.com",
    "xn--a.example.com",
    "a_b.example.com",
    "_.x.example.com",
    "a.b_.example.com",
  ],
] as const;

/** Makes a draft a question, mostly about what the set registers. */
export function aim(draft: RequestDraft, { domains, services }: Aims): Question {
  const service = services.length === 0 || draft.aim === 0 ? null : pick(services, draft.service);
  const port = service === null ? null : pick(service.ports, draft.port);
  const number = port?.number ?? pick(PORTS, draft.port);
  const bare = concreteHost(
    service === null
      ? pick([...HOSTS, ...HOSTS, ...HOSTS, ...INTERNAL, ...STRAYS], draft.host)
      : pick(service.hosts, draft.host),
    draft.host,
  );
  const kind =
    draft.kind % 20 === 0 || port === null ? pick(["http", "tls", "tcp"] as const, draft.kind) : kindFor(port.protocol);
  const boundary = pick(BOUNDARIES_MS, draft.now);
  return {
    nowMs: boundary + ((draft.now % 3) - 1),
    request: {
      kind,
      principal: principalOf(draft, domains),
      host: draft.spelling < 4 ? pick(MALFORMED, draft.host) : spell(bare, draft.spelling, number, kind === "http"),
      port: namedPort(draft, number, kind),
      method: kind === "http" ? draft.method : "",
      path: kind === "http" ? draft.path : "",
      headers: kind === "http" ? headersOf(draft, bare, number, port?.protocol === "GRPC") : [],
    },
  };
}

function kindFor(protocol: string): Request["kind"] {
  if (protocol === "TCP") return "tcp";
  return protocol === "TLS" || protocol === "HTTPS" ? "tls" : "http";
}

function concreteHost(pattern: string, choice: number): string {
  return pattern.replace(/^\*/, pick(["x", "api", "www", "y.x", "a_b", "x.api"], choice));
}

function principalOf({ principal }: RequestDraft, domains: readonly string[]): string {
  if (typeof principal === "string") return principal.replaceAll("TD", pick(domains, 0));
  return `spiffe://${pick([...domains, ...domains, ...domains, FEDERATED, ...domains, ...domains, ...domains], principal.domain)}${principal.path}`;
}

/** The host in a spelling that means the same; seldom with a port that means nothing. */
function spell(host: string, choice: number, port: number, mayHavePort: boolean): string {
  const cased = choice % 5 === 0 ? host.toUpperCase() : host;
  const dotted = choice % 7 === 0 && !host.startsWith("[") ? `${cased}.` : cased;
  if (choice === 59)
    return `${dotted}:${pick(["", "0", "080", "65536", "81", "x", "+80", " 80", "80 ", "65535"], port + host.length)}`;
  return choice % 6 === 0 && (mayHavePort || choice === 60) ? `${dotted}:${port}` : dotted;
}

function namedPort({ naming, port, kind: choice }: RequestDraft, number: number, kind: Request["kind"]): string | null {
  if (naming === 0)
    return pick(
      ["", "0", "080", "65536", "65535", "x", "+80", " 80", "80 ", "1", "99999", "8e1", "0x50"],
      port + choice,
    );
  if (naming === 2 && port % 2 === 0) return null;
  if (naming === 1) return String(pick(PORTS, port + 1));
  const implied = kind === "http" ? 80 : kind === "tls" ? 443 : null;
  return naming % 2 === 0 && number === implied ? null : String(number);
}

function headersOf(draft: RequestDraft, bare: string, port: number, grpc: boolean): HeaderPair[] {
  const headers: HeaderPair[] = [...draft.headers];
  if (grpc && draft.pseudo % 4 !== 0 && !headers.some(([name]) => name === "content-type")) {
    headers.push(["content-type", draft.pseudo % 4 === 1 ? "application/grpc+proto" : "application/grpc"]);
  }
  const [connections = [], upgrades = []] = draft.upgrade ?? [];
  headers.push(...connections.map((value): HeaderPair => ["connection", value]));
  headers.push(...upgrades.map((value): HeaderPair => ["upgrade", value]));
  if (draft.pseudo === 0) headers.push([":protocol", pick(["websocket", ""], draft.host)]);
  if (draft.pseudo === 1) headers.push(["host", pick(MALFORMED, draft.service)]);
  if (draft.pseudo === 2) headers.push(["host", new TextEncoder().encode(pick([bare, `${bare}é`], draft.host))]);
  if (draft.pseudo === 3) headers.push(["host", spell(bare, draft.host % 61, port, true)]);
  if (draft.pseudo === 5) headers.push(["host", `${bare}:${pick([port, port + 1], draft.host)}`], ["host", bare]);
  if (draft.pseudo % 10 === 6)
    headers.push([":authority", bare], [":method", draft.method], [":path", draft.path], [":scheme", "https"]);
  return draft.service % 2 === 0 ? headers : headers.reverse();
}
