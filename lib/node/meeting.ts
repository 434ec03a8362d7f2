/**
 * [L8] Before a node signs anything it finds out whether others know more of its own log than itself: it waits
 * until it holds what one of them holds. A bounded wait: without peers it goes on alone.
 */
import type { Clock, PublicKey } from "../base/index.ts";
import type { CanonicalMap } from "../codec/index.ts";
import { authorOf, parseMerge, type StateView } from "../ledger/index.ts";
import type { OwnLog } from "./own-log.ts";
import type { NodeLedger } from "./ports.ts";

/** What is known of another node. */
export interface MetPeer {
  readonly isPresent: boolean;
  /** All is held that it held when it was asked. */
  readonly isMet: boolean;
}

export interface Meeting {
  readonly clock: Clock;
  isConnected(): boolean;
  peers(): readonly MetPeer[];
  /** The agent ends: no more waiting. */
  isOver(): boolean;
}

/** How long a broker, then a first peer, then all that it holds, may take. */
const CONNECT_MS_MAX = 2_000;
const GREET_MS_MAX = 3_000;
const CATCH_UP_MS_MAX = 15_000;
const LOOK_EVERY_MS = 20;

/** The incarnation in which this node has held what a peer holds. */
const META_MET = "own.met";

/** Whether all is held that one peer held when it was asked. */
export function isCaughtUp(peers: readonly MetPeer[]): boolean {
  return peers.some(({ isMet }) => isMet);
}

/** Whether others may know more of this log: not of one that begins with this run, nor where there is nobody else. */
export function mustMeet(ownLog: OwnLog, charter: StateView): boolean {
  const isNew = ownLog.isFresh && ownLog.turns().length === 0;
  return !isNew && hasOthers(charter, ownLog.author);
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

/** [L8] Who decides alone may have decided more than a home that was put back remembers: it waits for a peer. */
export function mayMergeAlone(db: NodeLedger, ownLog: OwnLog, peers: readonly MetPeer[]): boolean {
  if (db.meta(META_MET) === ownLog.incarnation || ownLog.turns().at(-1)?.l !== ownLog.incarnation) return true;
  // A merge of its own that came back and is not applied yet, its changes being on their way, is decided, too.
  const isOpen = db.waitingMergesOf(ownLog.author).some((block) => {
    const { branch, h } = parseMerge(block.d);
    return h > (db.head(db.lineOf(branch, block.a))?.h ?? 0);
  });
  const isMet = isCaughtUp(peers) && !isOpen;
  if (!isMet && hasOthers(db.charterAt(), ownLog.author)) return false;
  db.setMeta(META_MET, ownLog.incarnation);
  return true;
}

/** Whether the charter knows a device of somebody else, who could know more of this one. */
function hasOthers(charter: StateView, self: PublicKey): boolean {
  const principal = authorOf(charter, self)?.principal;
  for (const [, device] of charter.scan("device/")) {
    if ((device as CanonicalMap)["principal"] !== principal) return true;
  }
  return false;
}
