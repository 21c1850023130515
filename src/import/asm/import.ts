import type { z } from "zod";
import type { PolicyFile } from "../../policy/parse-cache.ts";
import type { SourceProblem } from "../../policy/yaml-source.ts";
import { idleAssumptions } from "../assumed.ts";
import type { Aim, Claim, DraftPolicy, DraftRule } from "../draft.ts";
import { bringHost } from "../hosts.ts";
import { type Imported, type ImportOptions, ownerOf } from "../imported.ts";
import type { Way } from "../istio/extensions.ts";
import { obstaclesOf } from "../istio/obstacles.ts";
import type { ImportCode, ImportNote } from "../note.ts";
import { placed } from "../place.ts";
import { protocolOf } from "../protocols.ts";
import { nothingOf, type ObjectOf, objectsOf, readObjects } from "../read-objects.ts";
import { readSelector } from "../subjects.ts";
import { heed, withholding } from "../withheld.ts";
import { readWorkloads, type WorkloadsBehind } from "../workloads.ts";
import { meshObstacles } from "./mesh-obstacles.ts";
import { egressTrafficPolicy } from "./schema.ts";

type Policy = ObjectOf<z.output<typeof egressTrafficPolicy>>;
type Rule = NonNullable<Policy["spec"]["egressRules"]>[number];

interface Context extends ImportOptions {
  readonly behind: WorkloadsBehind;
  readonly owner: string;
  note(code: ImportCode, at: ImportNote["at"], message: string): void;
}

/** Where ASM reads its policies from. */
const NAMESPACE = "istio-egress";

/**
 * ASMEgressTrafficPolicy as policies: `to` is registered, and opened to `from`. Each namespace in `from` gets a policy of
 * its own; what goes through different gateways there goes through one here.
 */
export function importAsm(
  files: readonly PolicyFile[],
  workloads: PolicyFile | null,
  options: ImportOptions,
): Imported {
  const { behind, problems: badWorkloads } = readWorkloads(workloads, options.trustDomain, options.canon);
  const all = readObjects(files);
  const policies = objectsOf(all.objects, "istio.alibabacloud.com", "ASMEgressTrafficPolicy", egressTrafficPolicy);
  const problems: SourceProblem[] = [...badWorkloads, ...all.problems, ...policies.problems];
  if (problems.length === 0 && policies.objects.length === 0) problems.push(nothingOf("ASMEgressTrafficPolicy"));
  const owner = ownerOf(options, problems);
  if (owner === null || problems.length > 0) return { ok: false, problems };
  const notes: ImportNote[] = [];
  const context: Context = {
    ...options,
    owner,
    behind,
    note: (code, at, message) => notes.push({ code, at, message }),
  };
  const claims: Claim[] = [];
  const drafts: DraftPolicy[] = [];
  for (const policy of policies.objects) {
    if (policy.namespace !== NAMESPACE) {
      const message = `ASM reads its policies from \`${NAMESPACE}\` only, and \`${policy.name}\` is elsewhere: left out`;
      context.note("not-for-the-gateway", policy.at(), message);
      continue;
    }
    for (const [i, rule] of (policy.spec.egressRules ?? []).entries()) {
      const opened = targetsOf(policy, rule, i, context);
      claims.push(...opened.claims);
      drafts.push(...policiesOf(policy, rule, i, opened.aims, context));
    }
  }
  const way: Way = {
    // Which labels its pods have is not in the policies, so that every selector may be theirs.
    gateway: { namespace: NAMESPACE, labels: {}, entrances: [] },
    claims,
    entryOf: () => null,
    identities: options,
  };
  const obstacles = [...obstaclesOf(all.objects, way, options, problems), ...meshObstacles(all.objects, way, problems)];
  problems.push(...idleAssumptions(options.assumed, all.objects));
  if (problems.length > 0) return { ok: false, problems };
  const withheld = heed(obstacles, options.assumed, context.note);
  const { gateway, trustDomain } = options;
  return {
    ok: true,
    notes,
    set: {
      gateway: { ...gateway, trustDomains: [trustDomain], selector: {} },
      claims,
      groups: [],
      policies: withholding(drafts, withheld, claims, owner),
    },
  };
}

function targetsOf(
  policy: Policy,
  rule: Rule,
  index: number,
  { canon, note }: Context,
): { readonly claims: readonly Claim[]; readonly aims: readonly Aim[] } {
  const claims: Claim[] = [];
  for (const [i, { hosts, port, httpsUpgrade }] of (rule.to ?? []).entries()) {
    const here = ["egressRules", index, "to", i] as const;
    const protocol = protocolOf(port.protocol);
    if (protocol === null || protocol === "TCP") {
      const why = protocol === null ? "is no protocol that is known here" : "has no addresses to tell it by";
      note("protocol", policy.at(...here, "port"), `port ${port.number} is left out: \`${port.protocol}\` ${why}`);
      continue;
    }
    for (const [j, text] of hosts.entries()) {
      const host = bringHost(text, canon);
      if (!host.ok) {
        note(host.code, policy.at(...here, "hosts", j), `left out: ${host.why}`);
        continue;
      }
      const upgraded = protocol === "HTTP" && httpsUpgrade !== undefined && httpsUpgrade.enabled !== false;
      const tls = upgraded ? { originate: "gateway" as const, port: httpsUpgrade.port ?? 443 } : null;
      const at = policy.at(...here, "hosts", j);
      claims.push({ pattern: host.pattern, port: port.number, protocol, tls, addresses: [], at });
    }
  }
  return { claims, aims: claims.map(({ pattern, port, protocol }) => ({ pattern, ports: [port], protocol })) };
}

function policiesOf(
  policy: Policy,
  rule: Rule,
  index: number,
  aims: readonly Aim[],
  { trustDomain, canon, owner, behind, note }: Context,
): readonly DraftPolicy[] {
  const at = policy.at("egressRules", index);
  const from = (rule.from ?? []).flatMap(({ namespace, workloadSelector }, i) => {
    const labels = workloadSelector ?? {};
    const whole = readSelector({ namespace }, trustDomain, canon);
    const selectors = Object.keys(labels).length > 0 ? behind(namespace, labels) : whole.ok ? [whole.value] : null;
    if (selectors !== null) return selectors;
    const who = whole.ok ? `pods of \`${namespace}\` with labels` : `\`${namespace}\``;
    const message = `${who} are left out: \`--workloads\` names no service accounts for them`;
    note("workload-labels", policy.at("egressRules", index, "from", i), message);
    return [];
  });
  if (from.length === 0) return [];
  const name = rule.name ?? `rule-${index + 1}`;
  const allow: DraftRule = { name, effect: "allow", from, aims, methods: null, paths: null, headers: null, at };
  return placed(`${policy.name}-${name}`, owner, [allow]);
}
