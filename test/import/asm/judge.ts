/**
 * A naive judge of ASMEgressTrafficPolicy, from Alibaba's description of the CRD: a workload reaches what a rule opens to its
 * namespace, and to its labels where the rule has some. It shares nothing with the import.
 */

export interface AsmRule {
  readonly from: readonly {
    readonly namespace: string;
    readonly workloadSelector?: Readonly<Record<string, string>>;
  }[];
  readonly to: readonly {
    readonly hosts: readonly string[];
    readonly port: { readonly name: string; readonly number: number; readonly protocol: string };
  }[];
}

export interface Workload {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

export function judgeAsm(
  rules: readonly AsmRule[],
  { namespace, labels }: Workload,
  kind: "http" | "tls",
  host: string,
  port: number,
): boolean {
  return rules.some(
    ({ from, to }) =>
      from.some(
        (each) =>
          each.namespace === namespace &&
          Object.entries(each.workloadSelector ?? {}).every(([key, value]) => labels[key] === value),
      ) &&
      to.some(
        (each) =>
          each.hosts.includes(host) &&
          each.port.number === port &&
          (kind === "http" ? ["HTTP", "HTTP2"] : ["HTTPS", "TLS"]).includes(each.port.protocol),
      ),
  );
}
