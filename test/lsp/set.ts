import { SMALL_SET, temporaryDirectory } from "../cli/policy-dir.ts";

/** A folder with a small policy set of the root and of a namespace in `policies`. */
export function folder(more: Readonly<Record<string, string>> = {}): Promise<string> {
  const files = { ...SMALL_SET, ...SHOP, ...more };
  return temporaryDirectory(
    Object.fromEntries(Object.entries(files).map(([path, text]) => [`policies/${path}`, text])),
  );
}

const HEAD = "apiVersion: sallyport.dev/v1alpha1\n";

const SHOP: Readonly<Record<string, string>> = {
  "groups.yaml": `${HEAD}kind: IdentityGroup
metadata: {name: tills}
spec:
  members: [{serviceAccount: shop/till}, {serviceAccount: outlet/till}]
  fallback: report
`,
  "shop/shop.yaml": `${HEAD}kind: ExternalService
metadata: {name: paper}
spec:
  hosts: [api.paper.example.com, "*.paper.example.com"]
  ports: [{number: 80, protocol: HTTP}]
---
${HEAD}kind: EgressPolicy
metadata: {name: shop}
spec:
  owner: shop@example.com
  rules:
  - name: order
    from: [{serviceAccount: shop/cart}]
    to: [{service: paper, methods: [POST], paths: ["/orders/{*}"]}]
    reason: paper
  - name: never
    effect: deny
    from: [{serviceAccount: shop/cart}]
    to: [{service: paper, paths: [/orders/x]}]
    reason: not this one
`,
};
