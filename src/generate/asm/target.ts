import type { PolicySet } from "../../policy/model.ts";
import type { FileDraft, Generated, GenerateNote, Target } from "../draft.ts";
import { serviceTitle } from "../services.ts";
import { egressTrafficPolicyFile, type Held } from "./egress-traffic-policy.ts";
import { type Expressible, express } from "./expressible.ts";

/**
 * Alibaba Cloud Service Mesh: an ASMEgressTrafficPolicy for what it can hold, and Istio's objects, which ASM takes
 * too, for everything else.
 * @param istio Makes the objects for the rest of the set; authorization, telemetry and the rest of the mesh are its as well.
 */
export function createAsmTarget(istio: Target): Target {
  return {
    name: "asm",
    summary: "Alibaba Cloud Service Mesh: ASMEgressTrafficPolicy where it can, Istio's objects for the rest",
    generate(set, options): Generated {
      const refusal = refusalOf(set);
      if (refusal !== null) return { files: [], notes: [refusal] };
      const all = set.services.map((service) =>
        set.gateway.securityModel === "Gateway" ? express(set, service) : only(service),
      );
      const held = all.filter((each) => "namespaces" in each);
      const left = all.filter((each) => "reason" in each);
      const rest = istio.generate({ ...set, services: left.map(({ service }) => service) }, options);
      const notes = [...rest.notes, ...left.map(noteOf), ...held.map(weakerNote)];
      if (notes.some(({ severity }) => severity === "error")) return { files: [], notes };
      const own = held.length === 0 ? [] : [egressTrafficPolicyFile(set, held)];
      const istioFiles = rest.files.map((file) => ({ ...file, path: `istio/${file.path}` }));
      return { files: [...own, reportFile(set, held, left), ...istioFiles], notes };
    },
  };
}

type Left = Extract<Expressible, { readonly reason: string }>;

function only(service: Left["service"]): Left {
  return { service, reason: "ASMEgressTrafficPolicy always goes through a gateway" };
}

function refusalOf({ gateway }: PolicySet): GenerateNote | null {
  if (gateway.securityModel !== "Gateway" || gateway.namespace === "istio-egress") return null;
  return {
    code: "not-expressible",
    severity: "error",
    at: gateway.at,
    message: `ASM reads ASMEgressTrafficPolicy from \`istio-egress\` only, and the gateway is in \`${gateway.namespace}\``,
    fix: "move the gateway to `istio-egress`, or generate `istio`",
  };
}

function noteOf({ service, reason }: Left): GenerateNote {
  return {
    code: "not-expressible",
    severity: "warning",
    at: service.at,
    message: `\`${serviceTitle(service)}\` is left to Istio's objects: ${reason}`,
    fix: "nothing; apply the files under `istio/` too",
  };
}

function weakerNote({ service }: Held): GenerateNote {
  return {
    code: "inner-sni-unchecked",
    severity: "warning",
    at: service.at,
    message: `for \`${serviceTitle(service)}\` ASM's chain forwards the application's TLS without a look at its own SNI`,
    fix: "generate `istio` where hosts share addresses with hosts that nobody registered",
  };
}

/** What was left to which object, for whoever reads the directory. */
function reportFile(set: PolicySet, held: readonly Held[], left: readonly Left[]): FileDraft {
  const data = {
    ASMEgressTrafficPolicy: held.map(({ service }) => `${serviceTitle(service)}\n`).join(""),
    Istio: left.map(({ service, reason }) => `${serviceTitle(service)}: ${reason}\n`).join(""),
    both: "authorization, telemetry and mesh settings: Istio's objects under istio/\n",
  };
  return {
    path: "report.yaml",
    purpose: "Which object holds which service, and why the ASM one cannot hold the others.",
    sources: [set.gateway.at.file, ...set.services.map(({ at }) => at.file)],
    inputs: data,
    documents: [
      {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: {
          name: "sallyport-asm-report",
          namespace: set.gateway.namespace,
          labels: { "app.kubernetes.io/managed-by": "sallyport" },
        },
        data,
      },
    ],
  };
}
