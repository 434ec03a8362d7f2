/** Images kept by name: refs/images/NAME/TIME-TREE, an empty file. The newest counts; a crash may leave an older one. */
import type { Hash } from "../../base/index.ts";
import { assertRefName, isRefName, type Refs } from "../../store/index.ts";

const FOLDER = "images";
const REF = /^(\d{15})-([0-9a-f]{64})$/;
const TIME_DIGITS = 15;

export interface NamedImage {
  readonly name: string;
  readonly tree: Hash;
  readonly timeMs: number;
}

export class ImageCatalog {
  readonly #refs: Refs;

  constructor(refs: Refs) {
    this.#refs = refs;
  }

  /** INPUT_INVALID for what names no image. */
  static assertName(name: string): void {
    assertRefName(name, "an image");
  }

  /** Keeps a tree, which must be durable already [T8], in place of what had the name. */
  async set({ name, tree, timeMs }: NamedImage): Promise<void> {
    ImageCatalog.assertName(name);
    const fresh = `${String(Math.max(0, Math.floor(timeMs))).padStart(TIME_DIGITS, "0")}-${tree}`;
    const before = await this.#refs.list(FOLDER, name);
    await this.#refs.write([FOLDER, name], fresh, new Uint8Array(0));
    for (const ref of before) if (ref !== fresh) await this.#refs.remove([FOLDER, name], ref);
  }

  /** By name. */
  async all(): Promise<NamedImage[]> {
    const found: NamedImage[] = [];
    for (const name of await this.#refs.list(FOLDER)) {
      const image = await this.get(name);
      if (image !== undefined) found.push(image);
    }
    return found;
  }

  async get(name: string): Promise<NamedImage | undefined> {
    if (!isRefName(name)) return undefined;
    const refs = await this.#refs.list(FOLDER, name);
    const [, time, tree] = REF.exec(refs.filter((ref) => REF.test(ref)).at(-1) ?? "") ?? [];
    return tree === undefined ? undefined : { name, tree: tree as Hash, timeMs: Number(time) };
  }

  async remove(name: string): Promise<void> {
    for (const ref of await this.#refs.list(FOLDER, name)) await this.#refs.remove([FOLDER, name], ref);
  }
}
