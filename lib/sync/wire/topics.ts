/** Topic names. Plain ASCII, the same over every transport. */
import { type Hash, isPublicKey, type PublicKey } from "../../base/index.ts";
import type { Frame } from "./frames.ts";

export type Topic = { readonly kind: "hello" | "inbox"; readonly node: PublicKey } | { readonly kind: "live" };

export function helloTopic(organisation: Hash, node: PublicKey): string {
  return `gdo1/${organisation}/hello/${node}`;
}

export function liveTopic(organisation: Hash): string {
  return `gdo1/${organisation}/live`;
}

export function inboxTopic(organisation: Hash, node: PublicKey): string {
  return `gdo1/${organisation}/to/${node}`;
}

/** What a node listens to: everybody's presence, everybody's new blocks, its own inbox. */
export function nodeTopics(organisation: Hash, node: PublicKey): string[] {
  return [`gdo1/${organisation}/hello/+`, liveTopic(organisation), inboxTopic(organisation, node)];
}

/** Undefined for a topic that is none of ours. */
export function parseTopic(organisation: Hash, topic: string): Topic | undefined {
  const [prefix, org, kind, node, ...rest] = topic.split("/", 6);
  if (prefix !== "gdo1" || org !== organisation || rest.length > 0) return undefined;
  if (kind === "live" && node === undefined) return { kind };
  if (node === undefined || !isPublicKey(node)) return undefined;
  if (kind === "hello") return { kind, node };
  return kind === "to" ? { kind: "inbox", node } : undefined;
}

/** Whether a frame may come on this topic at all: presence about its author, live blocks, the rest to an inbox. */
export function fitsTopic(frame: Frame, topic: Topic, self: PublicKey): boolean {
  if (topic.kind === "hello") return frame.type === "hello" && frame.key === topic.node;
  if (topic.kind === "live") return frame.type === "data";
  return topic.node === self && frame.type !== "hello";
}
