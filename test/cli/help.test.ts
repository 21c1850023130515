import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createProgram } from "../../src/cli/program.ts";
import { allCommands, examplesIn, exitCodesIn, type NamedCommand, optionsOf } from "./commands.ts";
import { compareGolden } from "./golden-cases/golden-files.ts";
import { type GoldenCases, readCases } from "./golden-cases/read-cases.ts";
import { furnish } from "./golden-cases/scratch.ts";
import { temporaryDirectory } from "./policy-dir.ts";
import { REPOSITORY } from "./run-cli.ts";
import { runHere } from "./run-here.ts";

const COMMANDS = await allCommands();
const LEAVES = COMMANDS.filter(({ isGroup }) => !isGroup);
const CASES = readCases();

function casesOf({ name }: NamedCommand): GoldenCases {
  const cases = CASES.find(({ command }) => command === name);
  if (cases === undefined) throw new Error(`no folder in test/cli/golden has cases of \`${name}\``);
  return cases;
}

async function helpOf({ name }: NamedCommand): Promise<string> {
  const { code, stdout, stderr } = await runHere(
    [...name.split(" "), "--help"].filter((each) => each !== ""),
    REPOSITORY,
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
}

describe("help", () => {
  it.each(COMMANDS)("of sallyport $name is what its golden file says", async (each) => {
    compareGolden(casesOf(each).folder, "help", new Map([["stdout.txt", await helpOf(each)]]));
  });

  it.each(["-V", "--version"])("is not read for %s, which no command has", async (flag) => {
    expect((await createProgram(flag)).commands).toEqual([]);
    expect(await runHere([flag], REPOSITORY)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^sallyport \d/),
    });
  });

  it("is there for each command that has cases", () => {
    expect(CASES.map(({ command }) => command).sort()).toEqual(COMMANDS.map(({ name }) => name).sort());
  });

  it.each(COMMANDS)("of sallyport $name describes each option and argument", ({ command, ...rest }) => {
    const options = optionsOf({ command, ...rest });
    const undescribed = [...options, ...command.registeredArguments].filter(({ description }) => description === "");
    expect(undescribed).toEqual([]);
    expect(command.description()).not.toBe("");
  });

  it.each(LEAVES)("of sallyport $name names the exit codes, and each has a golden case", async (each) => {
    const codes = exitCodesIn(await helpOf(each));
    expect(codes).toContain(64);
    const { cases, elsewhere } = casesOf(each);
    for (const test of Object.values(elsewhere)) readFileSync(join(REPOSITORY, test));
    const shown = [...cases.map(({ exit }) => exit), ...Object.keys(elsewhere).map(Number)];
    expect([...new Set(shown)].sort()).toEqual([...codes].sort());
  });

  it.each(LEAVES.filter(({ command }) => formatsOf(command).length > 0))(
    "of sallyport $name names forms of output that golden cases show",
    ({ command, ...rest }) => {
      const { cases, elsewhere } = casesOf({ command, ...rest });
      // What it prints is looked at where it can be made to.
      if (elsewhere[0] !== undefined) return;
      const args = cases.flatMap((each) => each.args);
      const shown = args.filter((_, index) => ["-o", "--output"].includes(args[index - 1] ?? ""));
      const formats = formatsOf(command);
      expect(formats.filter((each, index) => index > 0 && !shown.includes(each))).toEqual([]);
    },
  );
});

function formatsOf(command: NamedCommand["command"]): readonly string[] {
  return command.options.find(({ long }) => long === "--output")?.argChoices ?? [];
}

const EXAMPLES = await Promise.all(
  LEAVES.map(async (each) => examplesIn(await helpOf(each)).map((args) => ({ args, text: args.join(" ") }))),
).then((all) => all.flat());

/** Why an example is only understood and not run. */
const NOT_RUN: readonly (readonly [RegExp, string])[] = [
  [/^(serve|demo|lsp)\b/, "goes on until it is told to stop, or needs Envoy"],
  [/ (-f|--watch|--stay)\b/, "goes on until it is told to stop"],
  [/ --server /, "needs a server"],
  [/^fmt - /, "reads standard input"],
  [/ --public-key /, "needs a signed trail"],
  [/ --gateway istio-system\//, "speaks of a mesh with its gateway elsewhere"],
];

/** The pods of the examples' sources. */
const WORKLOADS = "- {namespace: shop, labels: {app: checkout}, serviceAccounts: [checkout]}\n";

/** What examples speak of. */
const WORLD: GoldenCases = {
  command: "",
  folder: "",
  elsewhere: {},
  cases: [],
  copies: {
    policies: "policies",
  },
  texts: {
    "owners.txt": "payments@example.com\n",
    "policies/payments/learnt-checkout.yaml": `apiVersion: sallyport.dev/v1alpha1
kind: EgressPolicy
metadata: {name: learnt-checkout}
spec:
  owner: payments@example.com
  mode: report
  rules:
  - name: balance
    from: [{serviceAccount: payments/checkout}]
    to: [{hosts: [api.stripe.com], ports: [80], methods: [GET], paths: [/v1/balance]}]
    ticket: PAY-1
`,
  },
  trail: {
    policies: "policies",
    requests: [
      {
        at: new Date("2026-08-01T08:00:00Z"),
        days: 114,
        from: "payments/checkout",
        to: "POST http://api.stripe.com/v1/charges",
        headers: {},
      },
    ],
  },
};

/** As much of it as an example needs. */
function worldOf(args: readonly string[]): GoldenCases {
  const { trail: _, ...world } = WORLD;
  if (args[0] !== "import") return args.some((each) => each.endsWith("audit.jsonl")) ? WORLD : world;
  const source = `test/import/${args[1]}/example`;
  const files = ["acl.yaml", "roles.yaml"].map((each) => [each, `${source}/${each}`]);
  const copies = args[1] === "smokescreen" ? Object.fromEntries(files) : { [args[2] ?? ""]: source };
  return { ...world, copies, texts: { "workloads.yaml": WORKLOADS } };
}

/** Names of the examples that stand for something else here. */
const PLACES: readonly (readonly [RegExp, string])[] = [
  [/^\/var\/log\/sallyport\//, ""],
  [/^\/etc\/egress$/, "policies"],
  [/^(HEAD|HEAD~1|main):policies$/, "policies"],
];

describe("examples in helps", () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: new Date("2026-11-23T12:00:00Z"), toFake: ["Date"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("are there for each command", async () => {
    const commands = LEAVES.filter(({ name }) => !EXAMPLES.some(({ text }) => `${text} `.startsWith(`${name} `)));
    expect(commands.map(({ name }) => name)).toEqual([]);
  });

  it.each(EXAMPLES)("$text is understood", async ({ args }) => {
    const program = await createProgram(args[0]);
    let isUnderstood = false;
    for (const command of program.commands.flatMap((each) => [each, ...each.commands])) {
      command.action(() => {
        isUnderstood = true;
      });
    }
    await program.parseAsync(args, { from: "user" });
    expect(isUnderstood).toBe(true);
  });

  it.each(EXAMPLES.filter(({ text }) => !NOT_RUN.some(([pattern]) => pattern.test(`${text} `))))(
    "$text runs",
    async ({ args }) => {
      const directory = await temporaryDirectory({});
      await furnish(directory, worldOf(args), { copies: {}, texts: {} });
      for (const bundle of args.filter((each) => each.endsWith(".bundle") && args[0] !== "compile")) {
        expect((await runHere(["compile", "-o", bundle], directory)).code).toBe(0);
      }
      const placed = args.map((each) => PLACES.reduce((text, [pattern, place]) => text.replace(pattern, place), each));
      const { code, stderr } = await runHere(placed, directory);
      expect([0, 2, 4, 5], stderr).toContain(code);
    },
  );
});
