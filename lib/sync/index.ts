/** Sync: what peers say to each other. docs/design/sync.md. MQTT loads when it is first used: not every process needs it. */
export { Broker } from "./broker.ts";
export { type Delivery, MemoryBroker, MemoryTransport } from "./memory.ts";
export { MqttTransport } from "./mqtt.ts";
export type { PeerStatus } from "./step/neighbours.ts";
export { SyncPeer, UNFINISHED_BYTES_MAX } from "./step/peer.ts";
export type * from "./types.ts";
export { encodeFrame, type Frame } from "./wire/frames.ts";
export { decodeFrame } from "./wire/parse.ts";
export { helloTopic, inboxTopic, liveTopic } from "./wire/topics.ts";
