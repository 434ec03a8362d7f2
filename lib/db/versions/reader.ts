/** Reading versions of a log for others who compare them with theirs [L6]: shaped as sync asks for it. */
import type { PublicKey } from "../../base/index.ts";
import type { BlockTable } from "../tables/blocks.ts";
import type { LogTable } from "../tables/logs.ts";
import type { AlternateTable } from "./alternates.ts";

interface LogName {
  readonly author: PublicKey;
  readonly l: string;
}

interface Tables {
  readonly logs: LogTable;
  readonly blocks: BlockTable;
  readonly alternates: AlternateTable;
}

const ID_DIGITS = 16;
const IDS_MAX = 8;

export class VersionReader {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  /** What is held of a log up to a number, as one value; undefined where nothing is. */
  print({ author, l }: LogName, n: number): string | undefined {
    const { logs, alternates } = this.#tables;
    const log = logs.find(author, l);
    return log === undefined ? undefined : alternates.print(log.id, log.next, n);
  }

  /** First 16 digits of the ids of at most 8 blocks with a number. */
  ids(name: LogName, n: number): string[] {
    return this.#at(name, n)
      .map(({ id }) => id.slice(0, ID_DIGITS))
      .slice(0, IDS_MAX);
  }

  /** Envelopes of the block with that number whose id begins so, and of what is on top of it: one at least. */
  from(name: LogName, n: number, id: string, bytesMax: number): Uint8Array[] {
    const { blocks, alternates } = this.#tables;
    const first = this.#at(name, n).find((each) => each.id.startsWith(id));
    if (first === undefined) return [];
    if (first.beside === undefined)
      return blocks.range(name.author, name.l, { from: n, to: Number.MAX_SAFE_INTEGER }, bytesMax);
    return alternates.chain(first.beside, bytesMax);
  }

  #at({ author, l }: LogName, n: number): { readonly id: string; readonly beside?: number }[] {
    const { logs, blocks, alternates } = this.#tables;
    const log = logs.find(author, l);
    if (log === undefined) return [];
    const own = blocks.at(author, l, n);
    const beside = alternates.ofNumber(log.id, n).map(({ block }) => ({ id: blocks.idOf(block) ?? "", beside: block }));
    return own === undefined ? beside : [{ id: own }, ...beside];
  }
}
