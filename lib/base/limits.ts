/** Bounds that more than one module keeps. Units are in the names; each is checked before decoding. */

/** [L2] */
export const BLOCK_BODY_BYTES_MAX = 64 * 1024;
/** [L2] */
export const CBOR_DEPTH_MAX = 16;
/** [L2] */
export const BLOCK_PARENTS_MAX = 8;
/** An entry carries 1 to this many acts. */
export const ENTRY_ACTS_MAX = 256;
/** Largest sync frame that every peer must take. */
export const FRAME_BYTES_DEFAULT = 16 * 1024;
/** Largest object that is handled in one piece of memory (state changes of a merge, policy). */
export const OBJECT_BYTES_MAX = 32 * 1024 * 1024;
