/** An extension's configuration: its protobuf type, less what all have in common, and its fields. */
export function typed(type: string, fields: object): object {
  return { "@type": `type.googleapis.com/envoy.${type}`, ...fields };
}

/** A filter or other extension by its name. */
export function extension(name: string, type: string, fields: object): object {
  return { name, typed_config: typed(type, fields) };
}
