/** Which packs a cleaning removes, and which it stores anew [T11]. Pure. */

/** What a pack holds, and how much of it is needed. */
export interface PackUse {
  readonly pack: number;
  readonly sizeBytes: number;
  readonly records: number;
  readonly liveRecords: number;
  /** Of records and the marks after them. */
  readonly liveBytes: number;
  /** What is in it and not needed; its header and footer are not counted. */
  readonly deadBytes: number;
}

/** So small a part of a pack's limit is a small pack; so many of them are stored together. */
const SMALL_PART = 8;
const SMALL_PACKS_MIN = 8;
/** A pack ends when it has so many, however small they are: native/store/object_store.h has the same. */
const PACK_RECORDS_MAX = 32_768;

/** Packs of which nothing is needed. */
export function deadPacks(uses: readonly PackUse[]): PackUse[] {
  return uses.filter(({ liveRecords }) => liveRecords === 0);
}

/** Packs to store anew, first where most is freed for what is written: those under half alive, and many small ones. */
export function packsToRepack(uses: readonly PackUse[], packBytesMax: number): PackUse[] {
  const some = uses.filter(({ liveRecords }) => liveRecords > 0);
  const halfDead = some.filter(({ liveBytes, deadBytes }) => liveBytes < deadBytes);
  const isSmall = ({ sizeBytes, records }: PackUse): boolean =>
    sizeBytes * SMALL_PART < packBytesMax && records * SMALL_PART < PACK_RECORDS_MAX;
  const small = some.filter((use) => isSmall(use) && !halfDead.includes(use));
  const byShare = halfDead.toSorted((a, b) => a.liveBytes / a.sizeBytes - b.liveBytes / b.sizeBytes);
  return small.length >= SMALL_PACKS_MIN ? [...byShare, ...small] : byShare;
}
