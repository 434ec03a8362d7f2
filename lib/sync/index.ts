/** Sync: what peers say to each other. docs/design/sync.md. The door process and simulation need no MQTT: it loads late. */
export { Broker, type BrokerOptions, type BrokerStatus } from "./broker.ts";
export { decodeFrame } from "./parse.ts";
export { encodeFrame, type Frame } from "./frames.ts";
export { type Delivery, MemoryBroker, type MemoryFaults, MemoryTransport, NO_FAULTS } from "./memory.ts";
export { MqttTransport, type MqttOptions } from "./mqtt.ts";
export type { PeerStatus } from "./neighbours.ts";
export type { CheckObject } from "./objects.ts";
export { SyncPeer, type SyncPeerOptions } from "./peer.ts";
export { helloTopic, inboxTopic, liveTopic, nodeTopics } from "./topics.ts";
export type * from "./types.ts";
