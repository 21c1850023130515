import type { CheckInput } from "../../src/pdp/decision.ts";
import type { PolicyFile } from "../../src/policy/parse-cache.ts";

export const HEAD = "apiVersion: sallyport.dev/v1alpha1\n";
/** The namespace whose authors are up to no good, and one that has nothing to do with it. */
export const MALLORY = "mallory";
const VICTIM = "victim";

/** Documents that somebody wrote to make reading, compiling or deciding expensive, and what is then asked. */
export interface HostileSet {
  readonly name: string;
  /** Of the namespace, by name. */
  readonly files: Readonly<Record<string, string>>;
  /** Of the security team, beside its own. */
  readonly top?: Readonly<Record<string, string>>;
  /** A request that meets all of it. */
  readonly asked: CheckInput;
}

const ROOT = `${HEAD}kind: EgressGateway
metadata: {name: egress, namespace: istio-egress}
spec: {}
---
${HEAD}kind: ExternalService
metadata: {name: shared}
spec: {hosts: [api.shared.example, "*.wild.example"], ports: [{number: 80, protocol: HTTP}]}
---
${HEAD}kind: IdentityGroup
metadata: {name: everybody}
spec: {members: [{trustDomain: cluster.local}]}
`;
const VICTIMS = `${HEAD}kind: EgressPolicy
metadata: {name: quiet}
spec:
  owner: victim-team
  rules:
  - {name: only, from: [{group: everybody}], to: [{service: shared}]}
`;

/** The whole directory: the set of the security team, a namespace that is quiet, and the hostile one. */
export function directoryOf(set: HostileSet | null): PolicyFile[] {
  const texts = Object.entries(set?.files ?? {}).map(([name, text]) => [`${MALLORY}/${name}`, text] as const);
  const top = Object.entries(set?.top ?? {});
  const all = [...top, ["root.yaml", ROOT] as const, [`${VICTIM}/quiet.yaml`, VICTIMS] as const, ...texts];
  return all.map(([path, text]) => ({ path, bytes: Buffer.from(text) }));
}

export const count = <T>(many: number, make: (index: number) => T): T[] =>
  Array.from({ length: many }, (_, i) => make(i));

/** A policy of these rules, each in flow style; the directory names the namespace unless it is given. */
export function policy(name: string, rules: readonly string[], namespace = ""): string {
  const where = namespace === "" ? "" : `, namespace: ${namespace}`;
  const lines = rules.map((rule) => `  - ${rule}\n`).join("");
  return `${HEAD}kind: EgressPolicy\nmetadata: {name: ${name}${where}}\nspec:\n  owner: mallory-team\n  rules:\n${lines}`;
}

function asked(changes: Partial<CheckInput> = {}): CheckInput {
  return {
    kind: "http",
    principal: "spiffe://cluster.local/ns/mallory/sa/app",
    host: "api.shared.example",
    port: "80",
    method: "GET",
    path: "/",
    headers: [],
    ...changes,
  };
}

/** The question of a workload that has nothing to do with it. */
export const VICTIMS_QUESTION = asked({ principal: "spiffe://cluster.local/ns/victim/sa/app" });

const APP = "from: [{serviceAccount: mallory/app}]";

/** Kinds of cost, each as large as `size` says: what is counted depends on the kind. */
export const HOSTILE: Readonly<Record<string, (size: number) => HostileSet>> = {
  "rules for one workload and service": (size) => ({
    name: `${size} rules for one workload and service`,
    files: {
      "a.yaml": policy(
        "a",
        count(size, (i) => `{name: r${i}, ${APP}, to: [{service: shared}]}`),
      ),
    },
    asked: asked(),
  }),
  "rules with windows": (size) => ({
    name: `${size} rules with windows`,
    files: {
      "a.yaml": policy(
        "a",
        count(
          size,
          (i) =>
            `{name: r${i}, ${APP}, to: [{service: shared}], notBefore: 2020-01-01T00:00:00Z, expires: 20${30 + (i % 60)}-01-01T00:00:00Z}`,
        ),
      ),
    },
    asked: asked(),
  }),
  "rules with upgrades": (size) => {
    const names = count(16, (i) => `protocol-of-a-long-name-that-differs-late-${i}`);
    return {
      name: `${size} rules with 16 upgrades each`,
      files: {
        "a.yaml": policy(
          "a",
          count(size, (i) => `{name: r${i}, ${APP}, to: [{service: shared}], upgrades: [${names.join(", ")}]}`),
        ),
      },
      asked: asked({
        headers: [
          ["connection", "upgrade"],
          ["upgrade", names[15] ?? ""],
        ],
      }),
    };
  },
  "deep templates": (size) => {
    const open = (last: string) => `"${"/{*}".repeat(31)}/${last}"`;
    return {
      name: `${size} templates of 32 segments`,
      files: {
        "a.yaml": policy(
          "a",
          count(
            Math.ceil(size / 256),
            (i) =>
              `{name: r${i}, ${APP}, to: [{service: shared, paths: [${count(Math.min(256, size - i * 256), (n) => open(`x${i}-${n}`)).join(", ")}]}]}`,
          ),
        ),
      },
      asked: asked({ path: `${`/${"s".repeat(240)}`.repeat(31)}/y` }),
    };
  },
  "long prefixes": (size) => {
    const common = `/${"p".repeat(1_000)}-`;
    return {
      name: `${size} prefixes of 1,000 bytes`,
      files: {
        "a.yaml": policy(
          "a",
          count(
            Math.ceil(size / 256),
            (i) =>
              `{name: r${i}, ${APP}, to: [{service: shared, paths: [${count(Math.min(256, size - i * 256), (n) => `"${common}${i}-${n}*"`).join(", ")}]}]}`,
          ),
        ),
      },
      asked: asked({ path: `${common}${"q".repeat(20)}` }),
    };
  },
  "header lists": (size) => {
    const name = (i: number, n: number) => `x-header-${i}-${n}`;
    const value = (n: number) => `a-value-that-is-as-long-as-others-${String(n).padStart(3, "0")}`;
    return {
      name: `${size} headers with 64 values each`,
      files: {
        "a.yaml": policy(
          "a",
          count(
            Math.ceil(size / 16),
            (i) =>
              `{name: r${i}, ${APP}, to: [{service: shared, headers: {${count(Math.min(16, size - i * 16), (n) => `${name(i, n)}: [${count(64, value).join(", ")}]`).join(", ")}}}]}`,
          ),
        ),
      },
      asked: asked({ headers: count(100, (i) => [name(Math.floor(i / 16), i % 16), value(63)]) }),
    };
  },
  "groups of one workload": (size) => ({
    name: `${size} groups that hold one workload`,
    files: {
      "groups.yaml": count(
        size,
        (i) =>
          `${HEAD}kind: IdentityGroup\nmetadata: {name: g${i}}\nspec: {members: [{serviceAccount: mallory/app}]}\n`,
      ).join("---\n"),
      "a.yaml": policy("a", [
        `{name: r, from: [${count(Math.min(size, 1_000), (i) => `{group: g${i}}`).join(", ")}], to: [{service: shared}]}`,
      ]),
    },
    asked: asked(),
  }),
  "deep wildcards": (size) => {
    const suffix = (i: number) => `${count(i, (n) => `l${i - n}.`).join("")}wild.example`;
    return {
      name: `${size} wildcards over one host`,
      files: {
        "a.yaml": policy(
          "a",
          count(size, (i) => `{name: r${i}, ${APP}, to: [{hosts: ["*.${suffix(i)}"], methods: [GET]}]}`),
        ),
      },
      asked: asked({ host: `a.${suffix(size)}` }),
    };
  },
  "ports of one host": (size) => ({
    name: `${size} ports of one host`,
    files: {
      "a.yaml": count(
        Math.ceil(size / 64),
        (i) =>
          `${HEAD}kind: ExternalService\nmetadata: {name: s${i}}\nspec: {hosts: [api.shared.example], ports: [${count(Math.min(64, size - i * 64), (n) => `{number: ${1_000 + i * 64 + n}, protocol: HTTP}`).join(", ")}]}\n`,
      ).join("---\n"),
    },
    asked: asked({ port: "64000" }),
  }),
  "selectors times hosts": (size) => ({
    name: `a rule of ${size} selectors and ${size} hosts`,
    files: {
      "a.yaml": policy("a", [
        `{name: r, from: [${count(size, (i) => `{serviceAccount: mallory/a${i}}`).join(", ")}], to: [{hosts: [${count(size, (i) => `h${i}.wild.example`).join(", ")}]}]}`,
      ]),
    },
    asked: asked(),
  }),
  "rules for everybody's group": (size) => ({
    name: `${size} rules for a group that holds everybody`,
    files: {
      "a.yaml": policy(
        "a",
        count(size, (i) => `{name: r${i}, from: [{group: everybody}], to: [{service: shared}]}`),
      ),
    },
    asked: VICTIMS_QUESTION,
  }),
  "names that nobody has": (size) => ({
    name: `${size} services that nobody registers`,
    files: {
      "a.yaml": policy(
        "a",
        count(size, (i) => `{name: r${i}, ${APP}, to: [{service: nobody-has-this-${i}}]}`),
      ),
    },
    asked: asked(),
  }),
  "denied wildcards": (size) => ({
    name: `${size} denies of a wildcard over many hosts`,
    files: {
      "services.yaml": count(
        Math.ceil(size / 1000),
        (i) =>
          `${HEAD}kind: ExternalService\nmetadata: {name: s${i}}\nspec: {hosts: [${count(Math.min(1000, size - i * 1000), (n) => `h${i * 1000 + n}.many.example`).join(", ")}], ports: [{number: 80, protocol: HTTP}]}\n`,
      ).join("---\n"),
      "a.yaml": policy(
        "a",
        count(
          size,
          (i) =>
            `{name: r${i}, effect: deny, reason: no, from: [{serviceAccount: mallory/a${i}}], to: [{hosts: ["*.many.example"]}]}`,
        ),
      ),
    },
    asked: asked(),
  }),
};

/** Of each kind a size that is taken, one that is not, and why not. */
export const SIZES: Readonly<Record<string, readonly [fine: number, hostile: number, code: string]>> = {
  "rules for one workload and service": [540, 2_000, "too-much-work"],
  "rules with windows": [540, 2_000, "too-much-work"],
  "rules with upgrades": [110, 400, "too-much-work"],
  "deep templates": [90, 2_560, "too-much-work"],
  "long prefixes": [48, 400, "too-much-work"],
  "header lists": [8, 100, "limit-exceeded"],
  "groups of one workload": [105, 900, "too-much-work"],
  "deep wildcards": [30, 60, "invalid-host"],
  "ports of one host": [255, 640, "limit-exceeded"],
  "selectors times hosts": [140, 1_000, "limit-exceeded"],
  "rules for everybody's group": [540, 1_500, "too-much-work"],
  "names that nobody has": [0, 1_000, "unknown-service"],
  "denied wildcards": [500, 12_000, "file-too-large"],
};
