/** `gdo put`: files and folders into the store; prints each id alone, so that scripts can use it. */
import { resolve } from "node:path";
import { type CommandSpec, withApi } from "../../command.ts";

interface Put {
  readonly id: string;
  readonly kind: string;
  readonly sizeBytes: number;
}

export const put: CommandSpec = {
  name: "put",
  summary: "Keep files and folders in the store; prints one id a line.",
  arguments: [{ form: "<path...>", about: "files or folders" }],
  exits: { 3: "there is no home", 10: "there is no such path", 13: "a path cannot be read", 22: "the disk is full" },
  example: "gdo put minutes-2026.pdf",
  async run(session, { args: [paths] }) {
    await withApi(session, async (api) => {
      for (const path of paths as readonly string[]) {
        const stored = (await api.call("put", { path: resolve(path) })) as Put;
        session.out.emit("object", { path, ...stored }, () => stored.id);
      }
    });
    return 0;
  },
};
