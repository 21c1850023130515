import { type CelInput, type CelMap, CelScalar, celMethod, isCelError, isCelMap, mapType, run } from "@bufbuild/cel";
import { strings } from "@bufbuild/cel/ext";
import type { KubernetesObject } from "./policy-sets.ts";

interface AdmissionPolicy extends KubernetesObject {
  readonly spec: {
    readonly failurePolicy: string;
    readonly matchConstraints: {
      readonly resourceRules: readonly {
        readonly apiGroups: readonly string[];
        readonly operations: readonly string[];
        readonly resources: readonly string[];
      }[];
    };
    readonly matchConditions: readonly { readonly expression: string }[];
    readonly variables: readonly { readonly name: string; readonly expression: string }[];
    readonly validations: readonly { readonly expression: string; readonly message: string }[];
  };
}

interface AdmissionBinding extends KubernetesObject {
  readonly spec: {
    readonly policyName: string;
    readonly validationActions: readonly string[];
    readonly matchResources?: {
      readonly namespaceSelector: { readonly matchExpressions: readonly { readonly values: readonly string[] }[] };
    };
  };
}

/** One write that reaches the API server. */
export interface AdmissionRequest {
  readonly operation: "CREATE" | "UPDATE" | "DELETE" | "CONNECT";
  readonly group: string;
  readonly resource: string;
  readonly namespace: string;
  readonly username: string;
  /** Beside `system:authenticated`. */
  readonly groups?: readonly string[];
  readonly administrator: boolean;
  readonly object: object | null;
  readonly oldObject: object | null;
}

/** What the API server answers by the admission policies among the objects: every refusal's message, `error: ` before it where CEL failed. */
export function review(objects: readonly KubernetesObject[], request: AdmissionRequest): readonly string[] {
  const bindings = objects.filter(
    (object): object is AdmissionBinding => object.kind === "ValidatingAdmissionPolicyBinding",
  );
  return bindings
    .filter(({ spec }) => spec.validationActions.includes("Deny") && isBound(spec.matchResources, request))
    .flatMap(({ spec: { policyName } }) => {
      const policy = objects.find(
        (object): object is AdmissionPolicy =>
          object.kind === "ValidatingAdmissionPolicy" && object.metadata.name === policyName,
      );
      if (policy === undefined) throw new Error(`no policy ${policyName}`);
      return matches(policy, request) ? refusals(policy, request) : [];
    });
}

function isBound(matchResources: AdmissionBinding["spec"]["matchResources"], request: AdmissionRequest): boolean {
  const expressions = matchResources?.namespaceSelector.matchExpressions ?? [];
  return expressions.every(({ values }) => values.includes(request.namespace));
}

function matches({ spec }: AdmissionPolicy, request: AdmissionRequest): boolean {
  return spec.matchConstraints.resourceRules.some(
    ({ apiGroups, operations, resources }) =>
      apiGroups.includes(request.group) &&
      operations.includes(request.operation) &&
      resources.includes(request.resource),
  );
}

function refusals({ spec }: AdmissionPolicy, request: AdmissionRequest): readonly string[] {
  const bindings: Record<string, CelInput> = {
    object: toCel(request.object),
    oldObject: toCel(request.oldObject),
    request: toCel({
      operation: request.operation,
      namespace: request.namespace,
      resource: { group: request.group, resource: request.resource, version: "v1" },
      userInfo: { username: request.username, groups: ["system:authenticated", ...(request.groups ?? [])] },
    }),
    authorizer: toCel({ administrator: request.administrator }),
  };
  if (!spec.matchConditions.every(({ expression }) => evaluate(expression, bindings) === true)) return [];
  const variables = new Map<string, CelInput>();
  const withVariables = { ...bindings, variables };
  for (const { name, expression } of spec.variables) {
    const value = evaluate(expression, withVariables);
    // The API server computes variables when they are used; an error there is an error of whoever uses it.
    if (!(value instanceof Error)) variables.set(name, value as CelInput);
  }
  return spec.validations.flatMap(({ expression, message }) => {
    const value = evaluate(expression, withVariables);
    if (value instanceof Error) return spec.failurePolicy === "Fail" ? [`error: ${message}`] : [];
    return value === true ? [] : [message];
  });
}

/** `authorizer.group(…).resource(…).check(…).allowed()`, as the API server's own CEL library has it. */
const ANY_MAP = mapType(CelScalar.STRING, CelScalar.DYN);
const AUTHORIZER = [
  ...["group", "resource", "check"].map((name) =>
    celMethod(name, ANY_MAP, [CelScalar.STRING], ANY_MAP, function (this: CelMap, value: string) {
      return new Map<string, CelInput>([...this.entries(), [name, value]] as [string, CelInput][]);
    }),
  ),
  celMethod("allowed", ANY_MAP, [], CelScalar.BOOL, function (this: CelMap) {
    const asked = ["group", "resource", "check"].map((name) => this.get(name)).join(" ");
    return this.get("administrator") === true && asked === "sallyport.dev egress administer";
  }),
];

function evaluate(expression: string, bindings: Record<string, CelInput>): unknown {
  const value = run(expression, bindings, { funcs: [...strings, ...AUTHORIZER] });
  return isCelError(value) ? new Error(`${expression}: ${value.message}`) : value;
}

function toCel(value: unknown): CelInput {
  if (Array.isArray(value)) return value.map(toCel);
  if (typeof value === "number") return BigInt(value);
  if (typeof value === "object" && value !== null && !isCelMap(value)) {
    return new Map(Object.entries(value).map(([key, each]) => [key, toCel(each)]));
  }
  return value as CelInput;
}
