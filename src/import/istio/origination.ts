import type { z } from "zod";
import type { HostPattern } from "../../policy/model.ts";
import type { DraftTls } from "../draft.ts";
import type { ObjectOf } from "../read-objects.ts";
import type { Note } from "./mesh.ts";
import type { DestinationTls, destinationRule, serviceEntry } from "./schema.ts";

type Port = NonNullable<z.output<typeof serviceEntry>["ports"]>[number];
type Rule = ObjectOf<z.output<typeof destinationRule>>;

/**
 * How clear HTTP to a host becomes HTTPS, by its DestinationRules; null = it stays clear. The port that is dialled outside
 * is the one for which TLS is made, else the target of the ServiceEntry's port, else 443.
 */
export function originationOf(
  host: HostPattern,
  port: Port,
  rules: readonly Rule[],
  subjectAltNames: readonly string[],
  note: Note,
): DraftTls | null {
  for (const rule of rules) {
    if (rule.spec.host !== host) continue;
    const { tls, portLevelSettings = [] } = rule.spec.trafficPolicy ?? {};
    const target = port.targetPort ?? port.number;
    const byPort = portLevelSettings.map((each) => ({ number: each.port.number, tls: each.tls }));
    const own = byPort.find(({ number }) => number === port.number || number === target);
    const made = own?.tls ?? byPort.find((each) => isMade(each.tls) && each.number !== 80)?.tls ?? tls;
    if (!isMade(made)) continue;
    const other = byPort.find((each) => each.tls === made && each.number !== port.number)?.number;
    if (made?.mode === "MUTUAL" && made.credentialName === undefined) {
      const message = `the client certificate for \`${host}\` is in files of the gateway: name a secret as \`credentialName\``;
      note("client-certificate", rule.at(), message);
    }
    const names = [...new Set([...(made?.subjectAltNames ?? []), ...subjectAltNames])]
      .filter((each) => /^[a-z0-9.*-]+$/.test(each))
      .sort();
    return {
      originate: "gateway",
      port: port.targetPort ?? other ?? 443,
      ...(names.length === 0 ? {} : { subjectAltNames: names }),
      ...(made?.credentialName === undefined ? {} : { credentialName: made.credentialName }),
      ...(made?.caCertificates === undefined || made.credentialName !== undefined
        ? {}
        : { caCertificates: made.caCertificates }),
    };
  }
  return null;
}

function isMade(tls: DestinationTls | undefined): boolean {
  return tls?.mode === "SIMPLE" || tls?.mode === "MUTUAL";
}
