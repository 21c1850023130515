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
  hostsPerRule: 1_000,
  hostsPerService: 1_000,
  portsPerService: 64,
  rulesPerPolicy: 10_000,
  rulesPerNamespace: 200_000,
  selectorsPerRule: 1_000,
  membersPerGroup: 10_000,
  targetsPerRule: 100,
  pathsPerTarget: 256,
  pathSegments: 32,
  pathBytes: 1_024,
  headersPerTarget: 16,
  valuesPerHeader: 64,
  textBytes: 1_024,
} as const;
