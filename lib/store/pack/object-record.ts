/** From a whole record to the object in it, believing nothing [T10]. */
import { GdoError, type Hash } from "../../base/index.ts";
import type { StoredObject } from "../chunk-store.ts";
import { objectId } from "../object.ts";
import { unpackPayload } from "./payload.ts";
import { decodeRecordHeader, RECORD_BYTES_MIN, recordPayload } from "./record.ts";

/** The object `id` that the record holds. STORE_CORRUPT, saying what is wrong, when it holds anything else. */
export function openRecord(record: Uint8Array, id: Hash): StoredObject {
  const header = record.length < RECORD_BYTES_MIN ? undefined : decodeRecordHeader(record);
  if (header?.kind === undefined || header.recordBytes !== record.length || header.id !== id) {
    throw new GdoError("STORE_CORRUPT", "the record's header is damaged");
  }
  const bytes = unpackPayload(header, recordPayload(record, header));
  // The id says it all: a checksum that is wrong over right bytes is for verify to tell.
  if (objectId(header.kind, bytes) !== id) throw new GdoError("STORE_CORRUPT", "the content does not have this id");
  return { kind: header.kind, bytes };
}
