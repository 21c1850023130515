/** Sizes that are part of the language. Beyond them a document is refused. */
export const LIMITS = {
  /** Bytes of one policy file: what a Kubernetes object can hold. */
  fileBytes: 1024 * 1024,
  /** Lines, commas, colons and dashes in one file: bounds what reading it costs, whatever it says. */
  fileMarks: 250_000,
  documentsPerFile: 2_000,
  /** Nesting of YAML collections. */
  depth: 32,
  nameBytes: 63,
  hostBytes: 253,
  hostLabels: 32,
  /** Ports that all services together may have on one host or wildcard. */
  portsPerHost: 256,
  hostsPerRule: 1_000,
  hostsPerService: 1_000,
  portsPerService: 64,
  rulesPerPolicy: 10_000,
  rulesPerNamespace: 200_000,
  /** Pairs of a selector and a service or host: what a rule comes to in the bundle. */
  itemsPerRule: 20_000,
  itemsPerNamespace: 500_000,
  /** Steps of about ten nanoseconds that rules and groups of one namespace, or of the root, may cost one decision; one that waits for an expression takes them twice. */
  workPerScope: 600,
  headerNamesPerNamespace: 32,
  selectorsPerRule: 1_000,
  membersPerGroup: 10_000,
  targetsPerRule: 100,
  pathsPerTarget: 256,
  pathSegments: 32,
  pathBytes: 1_024,
  headersPerTarget: 16,
  valuesPerHeader: 64,
  /** What evaluating an expression may take: about nanoseconds. */
  expressionCost: 8_000,
  textBytes: 1_024,
} as const;
