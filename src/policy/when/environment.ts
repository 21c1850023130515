/** Something that an expression may read. Its text counts as `most` characters at most, for the bound of the cost. */
export interface EnvironmentName {
  readonly type: "string" | "int";
  readonly most: number;
  /** What of the request it shows: only an HTTP Check has it. Null = known of every Check. */
  readonly shows: "method" | "path" | null;
  readonly text: string;
}

/** Characters of an input of the request; a longer one is in doubt. */
export const MOST_INPUT = 1_024;

/** What an expression may read beside `headers` and `now`: for the checks, the evaluation and the documentation. */
export const ENVIRONMENT = {
  subject: {
    id: { type: "string", most: 2_048, shows: null, text: "the workload's SPIFFE ID, in the mesh's own trust domain" },
    trustDomain: { type: "string", most: 255, shows: null, text: "its trust domain" },
    namespace: { type: "string", most: 2_048, shows: null, text: 'its namespace; `""` when the ID is of another form' },
    serviceAccount: { type: "string", most: 2_048, shows: null, text: "its service account, likewise" },
  },
  target: {
    host: { type: "string", most: 253, shows: null, text: "the host, in canonical spelling" },
    port: { type: "int", most: 1, shows: null, text: "the port that the application dials" },
    service: {
      type: "string",
      most: 127,
      shows: null,
      text: 'who owns the target, as `name` or `namespace/name`; else `""`',
    },
    method: { type: "string", most: MOST_INPUT, shows: "method", text: "the method of the request" },
    path: { type: "string", most: MOST_INPUT, shows: "path", text: "its path, decoded, without the query" },
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, EnvironmentName>>>>;

/** Methods of `now`, all in UTC. @see CEL language definition, "Timestamp functions" */
export const CLOCK_METHODS = [
  "getFullYear",
  "getMonth",
  "getDate",
  "getDayOfMonth",
  "getDayOfWeek",
  "getHours",
  "getMinutes",
  "getSeconds",
] as const;
