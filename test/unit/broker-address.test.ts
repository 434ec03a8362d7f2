/** What address an invitation names, so that another machine reaches the broker. */
import test from "ava";
import { addressOfBroker, addressOfUrl, type Interfaces } from "../../lib/agent/invite/broker-address.ts";

const lo = [
  { address: "127.0.0.1", family: "IPv4", internal: true },
  { address: "::1", family: "IPv6", internal: true },
];
const of = (address: string, family = "IPv4") => ({ address, family, internal: false });
const url = (host: string, interfaces: Interfaces, hostname = "bench"): string =>
  addressOfBroker(host, 1883, { interfaces: { lo, ...interfaces }, hostname }).url;

test("invite: a broker that listens everywhere is named by the machine's first address that others reach", (t) => {
  const eth0 = [of("fe80::1", "IPv6"), of("2001:db8::7", "IPv6"), of("192.168.1.20")];
  t.is(url("0.0.0.0", { eth0 }), "mqtt://192.168.1.20:1883");
  t.is(url("::", { eth0 }), "mqtt://192.168.1.20:1883");
  t.is(url("0.0.0.0", { docker0: [of("172.17.0.1")], wlan0: [of("10.0.0.9")] }), "mqtt://10.0.0.9:1883");
  t.is(url("0.0.0.0", { docker0: [of("172.17.0.1")] }), "mqtt://172.17.0.1:1883");
  t.is(url("0.0.0.0", { eth0: [of("169.254.3.4"), of("2001:db8::7", "IPv6")] }), "mqtt://[2001:db8::7]:1883");
  t.is(url("0.0.0.0", { eth0: [of("10.0.0.2")], eth1: [of("10.0.1.2")] }), "mqtt://10.0.0.2:1883");
});

test("invite: without such an address the machine's name is it", (t) => {
  t.is(url("0.0.0.0", {}), "mqtt://bench.local:1883");
  t.is(url("0.0.0.0", { eth0: [of("fe80::1", "IPv6")] }, "bench.example.org"), "mqtt://bench.example.org:1883");
});

test("invite: what the broker listens on alone stays, and loopback is said to be of this machine only", (t) => {
  t.is(url("127.0.0.1", { eth0: [of("10.0.0.2")] }), "mqtt://127.0.0.1:1883");
  t.is(url("192.168.7.7", { eth0: [of("10.0.0.2")] }), "mqtt://192.168.7.7:1883");
  t.is(url("::1", {}), "mqtt://[::1]:1883");
  for (const loopback of ["mqtt://127.0.0.1:1883", "mqtt://ada:x@localhost", "mqtts://[::1]:8883"])
    t.regex(addressOfUrl(loopback).note ?? "", /only this machine reaches that/, loopback);
  t.is(addressOfUrl("mqtts://broker.example.org").note, undefined);
  t.regex(
    addressOfBroker("0.0.0.0", 1, { interfaces: { lo }, hostname: "a" }).note ?? "",
    /--broker mqtt:\/\/ADDRESS:1/,
  );
});
