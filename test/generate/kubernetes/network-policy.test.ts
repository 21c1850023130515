import { describe, expect, test } from "vitest";
import { connects, type End } from "./network-model.ts";
import { documentsOf, loadModel } from "./policy-sets.ts";

const pod = (namespace: string, labels: Record<string, string> = {}, ip = "10.0.0.9"): End => ({
  namespace,
  labels,
  ip,
});
const outside = (ip: string): End => ({ namespace: "", labels: {}, ip });

const CHECKOUT = pod("payments", { app: "checkout" });
const GATEWAY = pod("istio-egress", { istio: "egressgateway", pod: "x" });
const AUTHORIZER = pod("sallyport-system", { "app.kubernetes.io/name": "sallyport" });
const DNS = pod("kube-system", { "k8s-app": "kube-dns" });
const ISTIOD = pod("istio-system", { app: "istiod" });
const PUBLIC = outside("93.184.215.14");

describe("under Gateway", () => {
  const objects = documentsOf(loadModel("Gateway"));

  test.each<[string, End, End, number, boolean]>([
    ["an application does not reach the Internet", CHECKOUT, PUBLIC, 443, false],
    ["nor by IPv6", CHECKOUT, outside("2606:2800:21f::1"), 443, false],
    [
      "nor a TCP service's own addresses, which are the gateway's to dial",
      pod("data"),
      outside("203.0.113.8"),
      5432,
      false,
    ],
    ["nor the cloud's metadata", CHECKOUT, outside("169.254.169.254"), 80, false],
    ["nor the authorizer", CHECKOUT, AUTHORIZER, 9191, false],
    ["nor pods of another application", CHECKOUT, pod("data"), 8080, false],
    ["nor a pod beside the gateway", CHECKOUT, pod("istio-egress", { istio: "other" }), 443, false],
    ["nor pods elsewhere with the gateway's labels", CHECKOUT, pod("data", { istio: "egressgateway" }), 443, false],
    ["but it reaches the gateway", CHECKOUT, GATEWAY, 443, true],
    ["and istiod", CHECKOUT, ISTIOD, 15012, true],
    ["but not istiod's debug port", CHECKOUT, ISTIOD, 15014, false],
    ["the gateway reaches the Internet", GATEWAY, PUBLIC, 443, true],
    ["and IPv6 there", GATEWAY, outside("2606:2800:21f::1"), 443, true],
    ["on ports of services only", GATEWAY, PUBLIC, 25, false],
    ["and TCP services", GATEWAY, outside("203.0.113.8"), 5432, true],
    ["and the authorizer", GATEWAY, AUTHORIZER, 9191, true],
    ["and an internal service that is registered", GATEWAY, outside("10.40.0.12"), 636, true],
    ["but not its neighbour", GATEWAY, outside("10.40.0.13"), 636, false],
    ["nor another port of it", GATEWAY, outside("10.40.0.12"), 443, false],
    ["nor applications", GATEWAY, CHECKOUT, 443, false],
    ["a pod beside the gateway stays inside", pod("istio-egress", { app: "shell" }), PUBLIC, 443, false],
    ["the authorizer answers no other pod", pod("monitoring"), AUTHORIZER, 9191, false],
    ["nor a pod beside it", pod("sallyport-system", { app: "shell" }), AUTHORIZER, 9191, false],
    ["nor the gateway on another port", GATEWAY, AUTHORIZER, 9090, false],
  ])("%s", (_, from, to, port, expected) => {
    expect(connects(objects, from, to, port)).toBe(expected);
  });

  test("DNS goes by UDP and TCP, to the cluster's DNS alone", () => {
    expect(connects(objects, CHECKOUT, DNS, 53, "UDP")).toBe(true);
    expect(connects(objects, CHECKOUT, DNS, 53, "TCP")).toBe(true);
    expect(connects(objects, CHECKOUT, outside("9.9.9.9"), 53, "UDP")).toBe(false);
    expect(connects(objects, CHECKOUT, pod("kube-system", { app: "proxy" }), 53, "UDP")).toBe(false);
  });

  test.each([
    "0.0.0.1",
    "10.1.2.3",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.251",
    "255.255.255.255",
    "::1",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "ff02::1",
    "2002:a9fe:a9fe::1",
    "2001::1",
  ])("the gateway does not reach %s, whatever name led there", (ip) => {
    expect(connects(objects, GATEWAY, outside(ip), 443)).toBe(false);
  });

  test.each(["11.0.0.1", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "169.253.0.1", "223.255.255.1"])(
    "the gateway reaches %s: just beside a forbidden range",
    (ip) => {
      expect(connects(objects, GATEWAY, outside(ip), 443)).toBe(true);
    },
  );
});

describe("under RegistryOnly", () => {
  const objects = documentsOf(loadModel("RegistryOnly"));

  test.each<[string, End, End, number, boolean]>([
    ["pods dial services of their namespace themselves", CHECKOUT, PUBLIC, 443, true],
    ["on those services' ports only", CHECKOUT, PUBLIC, 5432, false],
    ["never a private address", CHECKOUT, outside("10.1.2.3"), 443, false],
    ["never the cloud's metadata", CHECKOUT, outside("100.100.100.200"), 443, false],
    ["a TCP service by its addresses", pod("data"), outside("203.0.113.8"), 5432, true],
    ["and no other", pod("data"), outside("203.0.113.9"), 5432, false],
    ["and not from another namespace", CHECKOUT, outside("203.0.113.8"), 5432, false],
  ])("%s: %#", (_, from, to, port, expected) => {
    expect(connects(objects, from, to, port)).toBe(expected);
  });
});

test("under AllowAny nothing is generated", () => {
  expect(documentsOf(loadModel("AllowAny"))).toEqual([]);
});
