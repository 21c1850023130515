import { z } from "zod";

const strings = z.array(z.string()).optional();
const portNumber = z.int().min(0).max(65_535);

const destination = z.looseObject({
  host: z.string(),
  subset: z.string().optional(),
  port: z.looseObject({ number: portNumber.optional() }).optional(),
});

const leg = z.looseObject({ destination: destination.optional(), weight: z.number().optional() });

/** Conditions of a route; which keys there are depends on what is routed. */
const match = z.record(z.string(), z.unknown());

const route = z.looseObject({ match: z.array(match).optional(), route: z.array(leg).optional() });

/** @see Istio, Virtual Service */
export const virtualService = z.looseObject({
  hosts: strings,
  gateways: strings,
  http: z.array(route).optional(),
  tls: z.array(route).optional(),
  tcp: z.array(route).optional(),
});

export type RouteMatch = z.output<typeof match>;
export type Route = z.output<typeof route>;
export type Leg = z.output<typeof leg>;

/** @see Istio, Gateway */
export const gateway = z.looseObject({
  selector: z.record(z.string(), z.string()).optional(),
  servers: z
    .array(
      z.looseObject({
        port: z.looseObject({ number: portNumber, protocol: z.string() }),
        hosts: z.array(z.string()),
        tls: z.record(z.string(), z.unknown()).optional(),
      }),
    )
    .optional(),
});

export type Server = NonNullable<z.output<typeof gateway>["servers"]>[number];

/** Is this said at all? An empty value is as good as none. */
export function isSaid(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === 0 || value === false) return false;
  return typeof value !== "object" || Object.keys(value).length > 0;
}
