import { decisionTest } from "./decision-test.ts";
import { egressGateway } from "./egress-gateway.ts";
import { egressPolicy } from "./egress-policy.ts";
import { externalService } from "./external-service.ts";
import { identityGroup } from "./identity-group.ts";

/** The five kinds of the language: the one definition that reading, JSON Schema and documentation share. */
export const KINDS = {
  EgressGateway: egressGateway,
  ExternalService: externalService,
  IdentityGroup: identityGroup,
  EgressPolicy: egressPolicy,
  DecisionTest: decisionTest,
} as const;

export type Kind = keyof typeof KINDS;

export function isKind(text: unknown): text is Kind {
  return typeof text === "string" && Object.hasOwn(KINDS, text);
}
