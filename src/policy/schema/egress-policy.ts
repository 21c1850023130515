import { z } from "zod";
import { LIMITS } from "../limits.ts";
import { documentOf, line, nonEmpty, portNumber, text } from "./common.ts";
import { identitySelector } from "./identity-group.ts";

const subjectSelector = identitySelector.extend({ group: text.optional() });

const target = z.strictObject({
  service: text.optional().describe("A registered service."),
  hosts: nonEmpty(text, LIMITS.hostsPerRule).optional().describe("Hosts of registered services."),
  ports: nonEmpty(portNumber, LIMITS.portsPerService).optional().describe("What the application dials."),
  methods: nonEmpty(text, 64).optional(),
  paths: nonEmpty(text, LIMITS.pathsPerTarget)
    .optional()
    .describe("Literal, template with `{*}` and a last `{**}`, or prefix with a trailing `*`."),
  headers: z
    .record(text, nonEmpty(z.string().max(1024), LIMITS.valuesPerHeader))
    .optional()
    .describe("Exact values, any of each list."),
});

const rule = z.strictObject({
  name: text,
  effect: z.enum(["allow", "deny"]).default("allow"),
  from: nonEmpty(subjectSelector, LIMITS.selectorsPerRule).optional(),
  to: nonEmpty(target, LIMITS.targetsPerRule).optional(),
  upgrades: nonEmpty(text, 16).optional().describe("Protocols a request may upgrade to; others are refused."),
  notBefore: text.optional(),
  expires: text.optional(),
  when: text.optional().describe("A condition in CEL over subject, target, headers and now."),
  ticket: line.optional(),
  reason: line.optional(),
});

const spec = z.strictObject({
  owner: line.describe("Who answers for the policy."),
  mode: z.enum(["enforce", "report"]).default("enforce"),
  rules: nonEmpty(rule, LIMITS.rulesPerPolicy),
});

/** Who may reach what. */
export const egressPolicy = documentOf("EgressPolicy", spec);
export type EgressPolicySpec = z.output<typeof spec>;
export type RuleSpec = z.output<typeof rule>;
export type RuleTargetSpec = z.output<typeof target>;
export type SubjectSelectorSpec = z.output<typeof subjectSelector>;
