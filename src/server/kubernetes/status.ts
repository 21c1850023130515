import { ACCEPTED, type Acceptance } from "./acceptance.ts";
import type { Condition, PolicyObject, ServerEntry } from "./policy-object.ts";

/** What this server says of itself in the EgressGateway's status. */
export interface OwnSeat {
  readonly name: string;
  readonly revision: string;
  /** Gateways' workers that decide by its leases. */
  readonly gateways: number;
}

/** A server says anew that it is there after so long, and is taken for gone after several times that. */
const RENEW_MS = 30_000;
const GONE_MS = 4 * RENEW_MS;

/**
 * What of an object's status is to be written, or null when it says so already. Conditions of others stay; a time of transition changes with the status alone.
 * `seat` is told in an EgressGateway, beside those of other servers.
 */
export function statusChange(
  object: PolicyObject,
  acceptance: Acceptance | null,
  seat: OwnSeat | null,
  nowMs: number,
): object | null {
  const conditions = acceptance === null ? null : nextConditions(object, acceptance, nowMs);
  const seats = object.kind === "EgressGateway" && seat !== null ? nextSeats(object, seat, nowMs) : null;
  if (conditions === null && seats === null) return null;
  return { ...(conditions === null ? {} : { conditions }), ...seats };
}

function nextConditions(
  { metadata, status }: PolicyObject,
  acceptance: Acceptance,
  nowMs: number,
): readonly Condition[] | null {
  const all = status?.conditions ?? [];
  const present = all.find(({ type }) => type === ACCEPTED);
  const isSame = present?.status === acceptance.status;
  const next: Condition = {
    type: ACCEPTED,
    ...acceptance,
    observedGeneration: metadata.generation,
    lastTransitionTime: isSame ? present.lastTransitionTime : timeOf(nowMs),
  };
  const says = present?.reason === next.reason && present.message === next.message;
  if (isSame && says && present.observedGeneration === next.observedGeneration) return null;
  return [...all.filter(({ type }) => type !== ACCEPTED), next];
}

function nextSeats(
  { status }: PolicyObject,
  { name, revision, gateways }: OwnSeat,
  nowMs: number,
): Pick<NonNullable<PolicyObject["status"]>, "revision" | "seats" | "servers"> | null {
  const all = status?.servers ?? [];
  const own = all.find((each) => each.name === name);
  const present = all.filter((each) => each.name !== name && nowMs - Date.parse(each.renewTime) < GONE_MS);
  const isNew = own?.revision !== revision || own.gateways !== gateways;
  const isDue = own === undefined || nowMs - Date.parse(own.renewTime) >= RENEW_MS;
  if (!isNew && !isDue && present.length === all.length - 1) return null;
  const servers: ServerEntry[] = [...present, { name, revision, gateways, renewTime: timeOf(nowMs) }];
  servers.sort((one, other) => (one.name < other.name ? -1 : 1));
  const deciding = servers.filter((each) => each.revision === revision);
  return { revision, seats: deciding.reduce((sum, each) => sum + 1 + each.gateways, 0), servers };
}

/** As Kubernetes writes times: whole seconds. */
function timeOf(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
