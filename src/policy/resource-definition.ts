import { kindSchema } from "./json-schema.ts";
import { API_VERSION } from "./schema/common.ts";
import type { Kind } from "./schema/kinds.ts";

/** Kinds that are custom resources. Decision tests are files: they are for authors and CI, not for a cluster. */
export const RESOURCE_KINDS = ["EgressGateway", "ExternalService", "IdentityGroup", "EgressPolicy"] as const;
export type ResourceKind = (typeof RESOURCE_KINDS)[number];

/** A schema as JSON. */
type Schema = Readonly<Record<string, unknown>>;

interface Naming {
  readonly plural: string;
  readonly shortNames: readonly string[];
  /** Columns of `kubectl get` beside name and age. */
  readonly columns: readonly Column[];
}

interface Column {
  readonly name: string;
  readonly type: "string" | "integer";
  readonly jsonPath: string;
  readonly priority?: number;
}

/** The group and version of `apiVersion`. */
const [GROUP = "", VERSION = ""] = API_VERSION.split("/");

const ACCEPTED: Column = {
  name: "Accepted",
  type: "string",
  jsonPath: '.status.conditions[?(@.type=="Accepted")].status',
};
const WHY: Column = {
  name: "Why",
  type: "string",
  jsonPath: '.status.conditions[?(@.type=="Accepted")].message',
  priority: 1,
};

export const NAMINGS: Readonly<Record<ResourceKind, Naming>> = {
  EgressGateway: {
    plural: "egressgateways",
    shortNames: ["egw"],
    columns: [
      { name: "Model", type: "string", jsonPath: ".spec.securityModel" },
      { name: "Seats", type: "integer", jsonPath: ".status.seats" },
      { name: "Revision", type: "string", jsonPath: ".status.revision", priority: 1 },
    ],
  },
  ExternalService: {
    plural: "externalservices",
    shortNames: ["exs"],
    columns: [{ name: "Hosts", type: "string", jsonPath: ".spec.hosts" }],
  },
  IdentityGroup: { plural: "identitygroups", shortNames: ["idg"], columns: [] },
  EgressPolicy: {
    plural: "egresspolicies",
    shortNames: ["egp"],
    columns: [
      { name: "Owner", type: "string", jsonPath: ".spec.owner" },
      { name: "Mode", type: "string", jsonPath: ".spec.mode" },
    ],
  },
};

/** What the API server refuses at once, where its expressions can say it; the server says everything else in the status. */
const RULES: Readonly<Record<string, readonly { readonly rule: string; readonly message: string }[]>> = {
  "": [
    {
      rule: "self.metadata.name.size() <= 63 && !self.metadata.name.contains('.')",
      message: "metadata.name is a DNS-1123 label: at most 63 characters, no dots",
    },
  ],
  "spec.rules[]": [
    {
      rule: "has(self.to) || (has(self.effect) && self.effect == 'deny')",
      message: "an allow says where to: only a deny may leave out `to`",
    },
    {
      rule: "has(self.reason) || !has(self.effect) || self.effect != 'deny'",
      message: "a deny needs a reason",
    },
    {
      rule: "!has(self.notBefore) || !has(self.expires) || timestamp(self.notBefore) < timestamp(self.expires)",
      message: "notBefore lies before expires, both as RFC 3339",
    },
  ],
  "spec.rules[].to[]": [
    { rule: "has(self.service) != has(self.hosts)", message: "a target names a service or hosts, not both" },
  ],
  "spec.filter": [
    {
      rule: "(has(self.file) ? 1 : 0) + (has(self.url) ? 1 : 0) + (has(self.inline) ? 1 : 0) <= 1",
      message: "one of file, url and inline",
    },
    { rule: "has(self.url) == has(self.sha256)", message: "url and sha256 belong together" },
  ],
};

/** Objects that hold exactly one of their keys. */
const ONE_KEY = new Set(["spec.rules[].from[]", "spec.members[]"]);

const STATUS: Schema = {
  type: "object",
  description: "Written by the server.",
  properties: {
    conditions: {
      type: "array",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["type"],
      items: {
        type: "object",
        required: ["type", "status", "lastTransitionTime", "reason", "message"],
        properties: {
          type: { type: "string", maxLength: 316 },
          status: { type: "string", enum: ["True", "False", "Unknown"] },
          observedGeneration: { type: "integer", format: "int64", minimum: 0 },
          lastTransitionTime: { type: "string", format: "date-time" },
          reason: { type: "string", minLength: 1, maxLength: 1024 },
          message: { type: "string", maxLength: 32768 },
        },
      },
    },
  },
};

const GATEWAY_STATUS: Schema = {
  ...STATUS,
  properties: {
    ...(STATUS.properties as Schema),
    revision: { type: "string", description: "The policies in force at the server that wrote last." },
    seats: { type: "integer", description: "Servers and gateways that decide by this revision." },
    servers: {
      type: "array",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["name"],
      items: {
        type: "object",
        required: ["name", "revision", "gateways", "renewTime"],
        properties: {
          name: { type: "string", description: "The server: its host and process." },
          revision: { type: "string" },
          gateways: { type: "integer", description: "Gateways that decide themselves by a lease of this server." },
          renewTime: { type: "string", format: "date-time" },
        },
      },
    },
  },
};

/** The definition of one kind, from the same schema that files are read by. */
export function resourceDefinition(kind: ResourceKind): object {
  const { plural, shortNames, columns } = NAMINGS[kind];
  const schema = kindSchema(kind satisfies Kind) as { properties: Record<string, Schema> };
  const validation = {
    type: "object",
    required: ["spec"],
    properties: {
      spec: structural(schema.properties.spec ?? {}, "spec"),
      status: kind === "EgressGateway" ? GATEWAY_STATUS : STATUS,
    },
    ...rulesAt(""),
  };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        shortNames,
        categories: ["sallyport"],
      },
      scope: "Namespaced",
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: [
            ...columns,
            ACCEPTED,
            WHY,
            { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
          ],
          schema: { openAPIV3Schema: validation },
        },
      ],
    },
  };
}

/**
 * A schema in the form that custom resources allow: one type at each place, no `const`, no defaults (what is stored is what was written), patterns in RE2.
 * What JSON Schema forbids by `additionalProperties: false` the API server refuses by strict validation.
 */
function structural(schema: Schema, at: string): Schema {
  const {
    default: _,
    const: only,
    propertyNames: __,
    additionalProperties,
    properties,
    items,
    pattern,
    ...kept
  } = schema;
  return {
    ...kept,
    ...(only === undefined ? {} : { enum: [only] }),
    ...(typeof pattern === "string" ? { pattern: re2(pattern) } : {}),
    ...(isSchema(properties)
      ? { properties: mapValues(properties, (each, key) => structural(each, `${at}.${key}`)) }
      : {}),
    ...(isSchema(additionalProperties) ? { additionalProperties: structural(additionalProperties, `${at}{}`) } : {}),
    ...(isSchema(items) ? { items: structural(items, `${at}[]`) } : {}),
    ...(ONE_KEY.has(at) ? { minProperties: 1, maxProperties: 1 } : {}),
    ...rulesAt(at),
  };
}

function rulesAt(at: string): Schema {
  const rules = RULES[at];
  return rules === undefined ? {} : { "x-kubernetes-validations": rules };
}

/** RE2 writes code points as \x{…}, and has no surrogates: the API server takes no text with any. */
function re2(pattern: string): string {
  return pattern.replace("\\ud800-\\udfff", "").replaceAll(/\\u([0-9a-f]{4})/g, "\\x{$1}");
}

function isSchema(value: unknown): value is Record<string, Schema> {
  return typeof value === "object" && value !== null;
}

function mapValues(from: Readonly<Record<string, Schema>>, change: (value: Schema, key: string) => Schema): Schema {
  return Object.fromEntries(Object.entries(from).map(([key, value]) => [key, change(value, key)]));
}
