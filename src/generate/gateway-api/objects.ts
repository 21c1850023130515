/** Names and labels of what we generate. */
export function metadata(name: string, namespace: string): object {
  return { name, namespace, labels: { "app.kubernetes.io/managed-by": "sallyport" } };
}
