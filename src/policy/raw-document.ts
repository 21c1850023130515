import type { DecisionTestSpec } from "./schema/decision-test.ts";
import type { EgressGatewaySpec } from "./schema/egress-gateway.ts";
import type { EgressPolicySpec } from "./schema/egress-policy.ts";
import type { ExternalServiceSpec } from "./schema/external-service.ts";
import type { IdentityGroupSpec } from "./schema/identity-group.ts";
import type { DocumentPlaces } from "./yaml-source.ts";

interface Specs {
  readonly EgressGateway: EgressGatewaySpec;
  readonly ExternalService: ExternalServiceSpec;
  readonly IdentityGroup: IdentityGroupSpec;
  readonly EgressPolicy: EgressPolicySpec;
  readonly DecisionTest: DecisionTestSpec;
}

/** A document whose shape is right and whose owner is known; nothing in it is resolved yet. */
export interface RawDocumentOf<K extends keyof Specs> {
  readonly kind: K;
  readonly file: string;
  /** `""` = the top directory. */
  readonly place: string;
  /** From the directory, else from the document; null when neither says. */
  readonly namespace: string | null;
  readonly name: string;
  readonly spec: Specs[K];
  readonly source: DocumentPlaces;
}

export type RawDocument = { [K in keyof Specs]: RawDocumentOf<K> }[keyof Specs];
