/**
 * [L8] Before a node signs anything it finds out whether others know more of its own log than itself: it waits
 * until it holds what one of them holds. A bounded wait: without peers it goes on alone.
 */
import type { Clock } from "../../base/index.ts";
import type { PeerStatus } from "../../sync/index.ts";

export interface Meeting {
  readonly clock: Clock;
  isConnected(): boolean;
  peers(): readonly PeerStatus[];
  /** The agent ends: no more waiting. */
  isOver(): boolean;
}

/** How long a broker, then a first peer, then all that it holds, may take. */
const CONNECT_MS_MAX = 2_000;
const GREET_MS_MAX = 3_000;
const CATCH_UP_MS_MAX = 15_000;
const LOOK_EVERY_MS = 20;

/** Whether all is held that one peer held when it was asked. */
export function isCaughtUp(peers: readonly PeerStatus[]): boolean {
  return peers.some(({ isMet }) => isMet);
}

/** Whether this node knows that no peer is ahead of it; false when nobody was there or the time was up. */
export async function meetPeers(meeting: Meeting): Promise<boolean> {
  const isMet = (): boolean => isCaughtUp(meeting.peers());
  const isAnybody = (): boolean => meeting.peers().some(({ isPresent }) => isPresent);
  if (!(await comes(meeting, meeting.isConnected, CONNECT_MS_MAX))) return false;
  if (!(await comes(meeting, isAnybody, GREET_MS_MAX))) return false;
  return comes(meeting, isMet, CATCH_UP_MS_MAX);
}

async function comes({ clock, isOver }: Meeting, look: () => boolean, msMax: number): Promise<boolean> {
  const endNs = clock.monoNs() + BigInt(msMax) * 1_000_000n;
  while (!look()) {
    if (isOver() || clock.monoNs() >= endNs) return false;
    await new Promise<void>((resolve) => void clock.after(LOOK_EVERY_MS, resolve));
  }
  return true;
}
