import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Bench } from "./bench.ts";
import type { Identities } from "./identities.ts";
import { GATEWAY } from "./identities.ts";
import { podOf } from "./platform.ts";

const MANAGER = "envoy.filters.network.http_connection_manager";
const QUESTION = "envoy.filters.http.ext_authz";

/** What may become of the objects of a seat. Null: they are not applied. */
const FATES: Readonly<Record<string, (seat: string) => string | null>> = {
  "is not applied": () => null,
  "holds a filter that istiod does not know": (seat) => seat.replaceAll("http.wasm.v3.Wasm", "http.wasm.v9.Wasm"),
  "holds a field of another type": (seat) => seat.replaceAll("failure_policy: FAIL_RELOAD", "failure_policy: [1]"),
  "is for a port that is not there": (seat) => seat.replaceAll(/portNumber: \d+/g, "portNumber: 9"),
};

interface Filter {
  readonly name: string;
  readonly typedConfig: { readonly httpFilters?: readonly { readonly name: string }[] };
}

/** Whatever becomes of the seat's objects, each listener for requests asks. What does not, by fate and listener. */
export async function seatTurnedDown(
  bench: Bench,
  directory: string,
  identities: Identities,
): Promise<readonly string[]> {
  const secrets = {
    ROOTCA: `ca:${identities.meshCa}`,
    "file-root:system": `ca:${identities.meshCa}`,
    default: await identities.secret(GATEWAY),
  };
  const problems: string[] = [];
  for (const [fate, change] of Object.entries(FATES)) {
    const copy = await mkdtemp(join(directory, "seat-"));
    await cp(join(directory, "yaml"), copy, { recursive: true });
    const file = join(copy, "seat.yaml");
    const seat = change(await readFile(file, "utf8"));
    if (seat === null) await rm(file);
    else await writeFile(file, seat);
    const pod = podOf(GATEWAY);
    const request = {
      directory: copy,
      pod,
      type: "router",
      out: join(copy, "out"),
      secrets,
    } as const;
    const config = await bench.translate({ ...request, addresses: {}, listeners: {} });
    const { staticResources } = JSON.parse(await readFile(config, "utf8"));
    const managers = staticResources.listeners.flatMap(
      ({
        name,
        filterChains,
      }: {
        readonly name: string;
        readonly filterChains: readonly { filters: readonly Filter[] }[];
      }) =>
        filterChains.flatMap(({ filters }) =>
          filters
            .filter((each) => each.name === MANAGER)
            .map(({ typedConfig }) => ({ name, filters: (typedConfig.httpFilters ?? []).map((each) => each.name) })),
        ),
    );
    if (managers.length === 0) problems.push(`a seat that ${fate}: there is no listener for requests`);
    for (const { name, filters } of managers)
      if (!filters.includes(QUESTION)) problems.push(`a seat that ${fate}: ${name} has ${filters.join(", ")}`);
  }
  return problems;
}
