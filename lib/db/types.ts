/** What goes in and out of a LedgerDb. */
import type { Hash } from "../base/index.ts";
import type { Block } from "../codec/index.ts";

export interface OpenOptions {
  /** For reading beside the writer. The file must exist. */
  readonly readOnly?: boolean;
}

export interface Ingested {
  readonly added: readonly Hash[];
  /** Held already. */
  readonly known: number;
}

/** A block to take in; without a flag its own signature counts as verified [L9]. */
export type Incoming = Block | { readonly block: Block; readonly isChecked: boolean };
