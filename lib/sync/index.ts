/** Sync: what peers say to each other. docs/design/sync.md. The door process and simulation need no MQTT: it loads late. */
export { Broker, type BrokerOptions, type BrokerStatus } from "./broker.ts";
export { type Delivery, MemoryBroker, type MemoryFaults, MemoryTransport, NO_FAULTS } from "./memory.ts";
export { type MqttOptions, MqttTransport } from "./mqtt.ts";
export type { PeerStatus } from "./step/neighbours.ts";
export type { CheckObject } from "./step/objects.ts";
export { SyncPeer, type SyncPeerOptions } from "./step/peer.ts";
export type * from "./types.ts";
export { encodeFrame, type Frame } from "./wire/frames.ts";
export { decodeFrame } from "./wire/parse.ts";
export { helloTopic, inboxTopic, liveTopic, nodeTopics } from "./wire/topics.ts";
