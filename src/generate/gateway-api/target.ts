import type { PolicySet } from "../../policy/model.ts";
import type { FileDraft, Generated, GenerateNote, Target } from "../draft.ts";
import { gatewayPorts } from "../gateway-ports.ts";
import { isTls, serviceTitle } from "../services.ts";
import { gatewayFile } from "./gateway-file.ts";
import { keyOf, legsOf, reasonAgainst } from "./leg.ts";
import { metadata } from "./objects.ts";
import { serviceFile } from "./service-file.ts";

/** What Gateway API allows one Gateway. */
const MAX_LISTENERS = 64;

/**
 * Gateway API's routes on Istio's classic gateway. What they cannot hold is left out, and so out of reach.
 * @param istio Makes what Gateway API has no object for: authorization, mesh settings, telemetry.
 */
export function createGatewayApiTarget(istio: Target): Target {
  return {
    name: "gateway-api",
    summary: "Gateway API routes on Istio's gateway; the ambient form only as a warning to look at",
    generate(set, options): Generated {
      const all = set.services.map((service) => ({ service, reason: reasonAgainst(set, service) }));
      const held = all.filter(({ reason }) => reason === null).map(({ service }) => service);
      const legs = held.flatMap((service) => legsOf(service));
      const shared = istio.generate({ ...set, services: [] }, options);
      const notes = [
        ...shared.notes,
        ...all.flatMap(({ service, reason }) => (reason === null ? [] : [leftOut(service, reason)])),
        ...held.filter(({ ports }) => ports.some(({ protocol }) => isTls(protocol))).map(uncheckedSni),
        ...gatewayNotes(set, legs.length),
      ];
      if (notes.some(({ severity }) => severity === "error")) return { files: [], notes };
      const ports = gatewayPorts(legs.map(keyOf));
      const own =
        set.gateway.securityModel === "Gateway" && legs.length > 0
          ? [
              gatewayFile(set, legs, ports),
              ...held.map((service) => serviceFile(set, service, ports)),
              waypointFile(set),
            ]
          : [];
      return { files: [...own, ...shared.files.map((file) => ({ ...file, path: `istio/${file.path}` }))], notes };
    },
  };
}

function gatewayNotes(
  { gateway: { at, securityModel, selector, seat } }: PolicySet,
  listeners: number,
): readonly GenerateNote[] {
  if (securityModel !== "Gateway") return [];
  const notes: GenerateNote[] = [
    {
      code: "waypoint-without-principal",
      severity: "warning",
      at,
      message: "a waypoint tells the authorizer no workload's identity, so with `ambient/` every workload is refused",
      fix: "use sidecars and the classic gateway for workloads that go out",
    },
  ];
  if (seat === "gateway") {
    notes.push({
      code: "seat-asks",
      severity: "warning",
      at,
      message: "the gateway asks the authorizer about each request, as with `seat: server`",
      fix: "generate `istio` for `seat: gateway`",
    });
  }
  if (Object.keys(selector).length === 0) {
    notes.push({
      code: "no-gateway-selector",
      severity: "error",
      at,
      message:
        "the gateway names no labels of its pods, so what tells the authorizer the port would reach no gateway alone",
      fix: "add `selector: {istio: egressgateway}`, with labels that no other pod has",
    });
  }
  if (listeners > MAX_LISTENERS) {
    notes.push({
      code: "not-expressible",
      severity: "error",
      at,
      message: `${listeners} hosts and ports need as many listeners, and a Gateway has at most ${MAX_LISTENERS}`,
      fix: "generate `istio`",
    });
  }
  return notes;
}

function leftOut(service: PolicySet["services"][number], reason: string): GenerateNote {
  return {
    code: "not-expressible",
    severity: "warning",
    at: service.at,
    message: `\`${serviceTitle(service)}\` is left out, and nobody reaches it: ${reason}`,
    fix: "generate `istio` for it",
  };
}

function uncheckedSni(service: PolicySet["services"][number]): GenerateNote {
  return {
    code: "inner-sni-unchecked",
    severity: "warning",
    at: service.at,
    message: `for \`${serviceTitle(service)}\` the application's TLS is forwarded without a look at its own SNI`,
    fix: "generate `istio` where hosts share addresses with hosts that nobody registered",
  };
}

function waypointFile({ gateway: { name, namespace, at } }: PolicySet): FileDraft {
  return {
    path: "ambient/waypoint.yaml",
    purpose:
      "To look at only: a waypoint gives the authorizer no principal, so every workload that comes through it is refused.",
    sources: [at.file],
    inputs: { name, namespace },
    documents: [
      {
        apiVersion: "gateway.networking.k8s.io/v1",
        kind: "Gateway",
        metadata: metadata(`${name}-waypoint`, namespace),
        spec: {
          gatewayClassName: "istio-waypoint",
          listeners: [
            { name: "mesh", port: 15_008, protocol: "HBONE", allowedRoutes: { namespaces: { from: "Same" } } },
          ],
        },
      },
    ],
  };
}
