import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { namespacesOf } from "../../src/policy/visibility.ts";
import type { Target, Workload } from "../support/reach.ts";
import type { Bench, Finding } from "./bench.ts";
import { judgeGatewayApi } from "./gateway-api.ts";
import { spiffeId } from "./identities.ts";
import { isCertified, type MeshLab, startMeshLab } from "./mesh-lab.ts";
import type { MeshSet } from "./mesh-set.ts";
import { podOf } from "./platform.ts";
import { missing, saidOutside } from "./said-outside.ts";
import { seatTurnedDown } from "./seat-turned-down.ts";
import { attempt } from "./through-sidecar.ts";
import { waysRound } from "./ways-round.ts";

/** What Istio's tools say of all EnvoyFilters; of TCP services that give no address (for which we have a note); and of TLS that the system's roots verify. */
const EXPECTED = [
  /EnvoyFilter exposes internal implementation details/,
  /ServiceEntry addresses are required/,
  /TLS mode set to SIMPLE but no caCertificates are set/,
];
const SPLIT_TRIES = 30;
const RECORD_LIMIT_MS = 5_000;

/** How a set came through. */
export interface Judgement {
  readonly summary: string;
  /** What is not as it should be: what, where, expected, got. */
  readonly problems: readonly string[];
}

export async function judgeSet(bench: Bench, mesh: MeshSet, directory: string, envoy: string): Promise<Judgement> {
  const lab = await startMeshLab(bench, mesh, directory, envoy);
  try {
    const found = [
      ...(await bench.validate(join(directory, "yaml"))),
      ...(mesh.set.gateway.securityModel === "Gateway"
        ? await judgeGatewayApi(bench, mesh, lab.identities, directory)
        : []),
    ];
    const findings = found.filter(isUnexpected);
    const answers = await compare(mesh, lab);
    const round = await waysRound(mesh, lab);
    const problems = [
      ...findings.map(({ level, resource, message }) => `Istio: ${level} ${resource}: ${message}`),
      ...answers.problems,
      ...round.problems,
      ...(await seatProblems(mesh, lab)),
      ...(mesh.set.gateway.seat === "gateway" ? await seatTurnedDown(bench, directory, lab.identities) : []),
    ];
    return {
      summary: `${answers.agreed} of ${answers.all} answers as check says, ${round.refused} of ${round.all} ways round refused`,
      problems,
    };
  } finally {
    await lab.close();
  }
}

/** Where the filter is to decide, it has: what it decides comes on record as its own. */
async function seatProblems({ set }: MeshSet, lab: MeshLab): Promise<readonly string[]> {
  const seats = new Set((await lab.records()).map(({ seat }) => seat));
  const expected = set.gateway.seat === "gateway" ? ["server", "gateway"] : ["server"];
  const right = set.gateway.securityModel !== "Gateway" || expected.every((each) => seats.has(each));
  return right ? [] : [`decided by ${[...seats].join(" and ")}, expected ${expected.join(" and ")}`];
}

function isUnexpected({ level, message }: Finding): boolean {
  return level === "error" || !EXPECTED.some((pattern) => pattern.test(message));
}

interface Comparison {
  readonly all: number;
  readonly agreed: number;
  readonly problems: readonly string[];
}

async function compare(mesh: MeshSet, lab: MeshLab): Promise<Comparison> {
  const problems: string[] = [];
  let all = 0;
  let agreed = 0;
  for (const workload of mesh.workloads) {
    for (const target of mesh.targets) {
      // Under AllowAny others go straight to the Internet, which a laboratory has not.
      if (mesh.set.gateway.securityModel === "AllowAny" && !sees(mesh, workload, target)) continue;
      all += 1;
      const seen = lab.seen.length;
      const records = (await lab.records()).length;
      const got = await attempt(
        lab.sidecarPort(workload),
        target,
        addressOf(mesh, target),
        lab.identities.outside.cert,
      );
      // Whoever cannot prove the name is not talked to, whatever the rules.
      const expected = mesh.leaves(workload, target) && isCertified(target.host);
      const what = `${podOf(workload)} → ${target.upgrade ?? target.port.protocol} ${target.host}:${target.port.number}`;
      const reached = got === (target.upgrade === null ? "200" : "101");
      if (reached !== expected) {
        problems.push(`${what}: expected ${expected ? "to be reached" : "to be refused"}, got ${got}`);
        continue;
      }
      // With weights, a destination that is never chosen would not be noticed in one request.
      for (let i = 0; expected && i < SPLIT_TRIES && missing(mesh, target, lab.seen.slice(seen)).length > 0; i++)
        await attempt(lab.sidecarPort(workload), target, addressOf(mesh, target), lab.identities.outside.cert);
      const before = problems.length;
      if (expected)
        problems.push(
          ...(await whatWasSeen(mesh, lab, workload, target, { seen, records })).map(
            (problem) => `${what}: ${problem}`,
          ),
        );
      if (problems.length === before) agreed += 1;
    }
  }
  return { all, agreed, problems };
}

/** The right name, identity, and nothing of the mesh. */
async function whatWasSeen(
  mesh: MeshSet,
  lab: MeshLab,
  workload: Workload,
  target: Target,
  { seen, records }: { readonly seen: number; readonly records: number },
): Promise<readonly string[]> {
  const problems: string[] = [];
  const { port } = target;
  if (port.protocol !== "TCP") {
    // Copies come after the answer.
    if (mesh.set.services.some(({ mirror }) => mirror !== null)) await sleep(300);
    for (const request of lab.seen.slice(seen)) {
      const leaked = Object.keys(request.headers).filter((name) =>
        /^x-forwarded-client-cert$|^x-envoy-peer-metadata/.test(name),
      );
      if (leaked.length > 0) problems.push(`the outside was told ${leaked.join(", ")}`);
      if (JSON.stringify(request.headers).includes("spiffe://")) problems.push("the outside was told an identity");
    }
    problems.push(...saidOutside(mesh, target, lab.seen.slice(seen)));
  }
  if (mesh.set.gateway.securityModel === "Gateway") {
    const record = await recordAfter(lab, records);
    if (record !== spiffeId(workload)) problems.push(`recorded for ${record}`);
  }
  return problems;
}

function sees({ set }: MeshSet, { namespace }: Workload, { host }: Target): boolean {
  return set.services.some(
    (service) => service.hosts.includes(host) && (namespacesOf(set, service)?.includes(namespace) ?? true),
  );
}

/** The address that the application's resolver gave it: one of the service's, or any. */
function addressOf({ set }: MeshSet, { host }: Target): string {
  if (/^[\d.]+$/.test(host)) return host;
  const [range = "198.51.100.7"] = set.services.find(({ hosts }) => hosts.includes(host))?.addresses ?? [];
  return range.split("/")[0] ?? range;
}

/** Whom the next record of an allow is about. Records are written a moment after the answer. */
async function recordAfter(lab: MeshLab, count: number): Promise<string | undefined> {
  const deadline = Date.now() + RECORD_LIMIT_MS;
  for (;;) {
    const record = (await lab.records()).slice(count).find(({ effect }) => effect === "allow");
    if (record !== undefined || Date.now() > deadline) return record?.subject.spiffeId;
    await sleep(20);
  }
}
