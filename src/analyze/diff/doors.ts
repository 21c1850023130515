import type { CheckKind } from "../../pdp/decision.ts";
import type { ExternalService } from "../../policy/model.ts";
import { CHECK_KINDS } from "../probe.ts";
import type { Item } from "./side.ts";

/** Stands for all ports that nothing names. */
export const ANY_PORT = -1;

/** A way to ask for a host. */
export interface Door {
  readonly kind: CheckKind;
  readonly port: number;
}

/** In what ways a host can be asked for so that not both refuse: as its ports speak. */
export function registeredDoors(services: readonly ExternalService[]): readonly Door[] {
  const doors = services.flatMap(({ ports }) =>
    ports.map(({ number, protocol }) => ({ kind: CHECK_KINDS[protocol], port: number })),
  );
  return [...new Map(doors.map((each) => [`${each.kind}${each.port}`, each])).values()];
}

/** The same under AllowAny: in every way. */
export function allDoors(services: readonly ExternalService[], items: readonly Item[]): readonly Door[] {
  const ports = new Set([...namedPorts(services, items), ANY_PORT]);
  return (["http", "tls", "tcp"] as const).flatMap((kind) => [...ports].map((port) => ({ kind, port })));
}

/** The ports that services listen on or rules name; some more than once. */
export function namedPorts(services: readonly ExternalService[], items: readonly Item[]): readonly number[] {
  return [
    ...services.flatMap(({ ports }) => ports.map(({ number }) => number)),
    ...items.flatMap(({ conditions }) => conditions.ports ?? []),
  ];
}

/** The port itself; for any other port, one that nothing names. */
export function portAt(port: number, services: readonly ExternalService[], items: readonly Item[]): number {
  if (port !== ANY_PORT) return port;
  const named = new Set(namedPorts(services, items));
  let free = 8000;
  while (named.has(free)) free += 1;
  return free;
}
