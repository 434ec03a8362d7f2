/**
 * What `gdo log --graph` draws between the rows of one branch, or of all: enough that each row leads to all that it
 * builds on, and no more, for a device names the branch's head in each of its entries.
 */
import type { Hash } from "../../base/index.ts";
import type { Block } from "../../codec/index.ts";
import type { LedgerDb, ListRow } from "../../db/index.ts";
import { parseEntryPayload, parseMerge, parseVote } from "../../ledger/index.ts";

/** How far a log is followed down for one row. */
const PASSED_MAX = 64;

interface Known {
  readonly block: Block;
  readonly isListed: boolean;
}

/** For one page: a block is looked up once, as a row and as what others build on. */
export class LogEdges {
  readonly #db: LedgerDb;
  readonly #line: string | undefined;
  readonly #known = new Map<Hash, Known | undefined>();

  /** `line`: only what concerns it is listed. */
  constructor(db: LedgerDb, line: string | undefined) {
    this.#db = db;
    this.#line = line;
  }

  isListed(block: Block): boolean {
    const known = this.#known.get(block.id) ?? { block, isListed: this.#concerns(block) };
    this.#known.set(block.id, known);
    return known.isListed;
  }

  /** What a row leads to: the block before it in its log that is listed, and what its log does not lead to already. */
  of({ block, cursor }: ListRow): Hash[] {
    const before = this.#before(block);
    // A merge of many logs has no room to name all that it takes from among its parents.
    const sources = block.k === "merge" ? parseMerge(block.d).from.map(({ id }) => id) : [];
    const isOlder = (id: Hash): boolean => (this.#db.row(id)?.cursor ?? cursor) < cursor;
    const others = new Set([...block.p, ...sources.filter((id) => !block.p.includes(id) && isOlder(id))]);
    others.delete(before?.id as Hash);
    const drawn = [...others].filter((id) => {
      const parent = this.#look(id);
      return parent?.isListed === true && !this.#leadsTo(before, parent.block);
    });
    return [...(before === undefined ? [] : [before.id]), ...drawn];
  }

  /** Whether one of the blocks from here on down this log is the parent, or names it. */
  #leadsTo(from: Block | undefined, parent: Block): boolean {
    let at = from;
    for (let passed = 0; at !== undefined && at.c >= parent.c && passed < PASSED_MAX; passed += 1) {
      if (at.id === parent.id || at.p.includes(parent.id)) return true;
      at = this.#before(at);
    }
    return false;
  }

  #look(id: Hash): Known | undefined {
    if (!this.#known.has(id)) {
      const block = this.#db.block(id);
      this.#known.set(id, block === undefined ? undefined : { block, isListed: this.#concerns(block) });
    }
    return this.#known.get(id);
  }

  #before({ b }: Block): Block | undefined {
    for (let [at, passed] = [b, 0]; at !== null && passed < PASSED_MAX; passed += 1) {
      const found = this.#look(at);
      if (found === undefined || found.isListed) return found?.block;
      at = found.block.b;
    }
    return undefined;
  }

  /** For the line, of it, about it, or a merge of another that it took; the charter and evidence concern all. */
  #concerns(block: Block): boolean {
    const [db, line] = [this.#db, this.#line];
    if (line === undefined) return true;
    const branch = line.replace(/@.*/, "");
    if (block.k === "entry")
      return parseEntryPayload(block.d).branch === branch || db.placesOf(block.id).some((at) => at.branch === line);
    if (block.k === "vote") return parseVote(block.d).branch === branch;
    if (block.k !== "merge") return true;
    return db.lineOf(parseMerge(block.d).branch, block.a) === line || db.hasTaken(line, block.id);
  }
}
