/** `gdo image`: images for dapps, built from recipes, taken in from other tools and given out to them. */
import { basename, resolve } from "node:path";
import { GdoError } from "../../../base/index.ts";
import { type CommandSpec, type Given, type Session, withApi } from "../../command.ts";
import { moment } from "../../ids.ts";
import { bytesText } from "../../progress.ts";
import { watched } from "../../watch.ts";

interface Image {
  readonly name: string;
  readonly tree: string;
  readonly files: number;
  readonly bytes: number;
  readonly timeMs?: number;
}

type Action = (session: Session, names: readonly string[], options: Given["options"]) => Promise<void>;

const ACTIONS: Readonly<Record<string, Action>> = { build, import: importImage, export: exportImage, list, remove };

async function build(session: Session, names: readonly string[], options: Given["options"]): Promise<void> {
  const [recipe] = expected(names, 1, "build takes a recipe, or the folder of one");
  const params = { path: resolve(recipe), name: nameOf(options, recipe) };
  const made = (await withApi(session, (api) => api.call("imageBuild", params))) as Image;
  session.out.emit("image", { ...made }, () => rowOf(made));
}

async function importImage(session: Session, names: readonly string[], options: Given["options"]): Promise<void> {
  const [path] = expected(names, 1, "import takes the folder of an OCI layout, or an archive");
  const params = {
    path: resolve(path),
    name: nameOf(options, path),
    ...(options.tag === undefined ? {} : { tag: options.tag }),
  };
  const made = (await withApi(session, (api) => watched(session, api, "imageImport", params))) as Image;
  session.out.emit("image", { ...made }, () => rowOf(made));
}

async function exportImage(session: Session, names: readonly string[], options: Given["options"]): Promise<void> {
  const [image, folder] = expected(names, 2, "export takes an image and the folder to make");
  const params = { image, path: resolve(folder), ...(options.tag === undefined ? {} : { tag: options.tag }) };
  const made = (await withApi(session, (api) => api.call("imageExport", params))) as { tag: string; digest: string };
  session.out.emit("export", { ...made }, () => `${folder}:${made.tag}  ${made.digest}`);
}

async function list(session: Session, names: readonly string[]): Promise<void> {
  expected(names, 0, "list takes no names");
  const { images } = (await withApi(session, (api) => api.call("imageList"))) as { images: readonly Image[] };
  for (const each of images) session.out.emit("image", { ...each }, () => rowOf(each));
}

async function remove(session: Session, names: readonly string[]): Promise<void> {
  if (names.length === 0) throw new GdoError("USAGE", "remove takes the names of images");
  const done = (await withApi(session, (api) => api.call("imageRemove", { names }))) as { removed: readonly Image[] };
  for (const { name, tree } of done.removed) {
    session.out.emit(
      "removed",
      { name, tree },
      () => `${name} is no longer kept; gdo gc removes what nothing else needs`,
    );
  }
}

function rowOf({ name, tree, files, bytes, timeMs }: Image): string {
  const time = timeMs === undefined ? "" : `  ${moment(timeMs)}`;
  return `${tree}  ${name}  ${files} files, ${bytesText(bytes)}${time}`;
}

function expected<N extends number>(names: readonly string[], count: N, usage: string): [string, string] {
  if (names.length === count) return names as readonly string[] as [string, string];
  throw new GdoError("USAGE", usage, { hint: "gdo image --help" });
}

/** The name given; else that of the file or folder, as far as it can be a name. */
function nameOf(options: Given["options"], path: string): string {
  if (options.name !== undefined) return String(options.name);
  return basename(resolve(path))
    .replace(/(\.ya?ml|\.tar)$/, "")
    .toLowerCase();
}

export const image: CommandSpec = {
  name: "image",
  summary:
    "Images that dapps are laid over: build one from a recipe, import one from an OCI layout or an archive of docker save, export one as an OCI layout, list and remove them.",
  arguments: [
    { form: "<action>", about: "build, import, export, list or remove" },
    {
      form: "[names...]",
      about: "build RECIPE, import PATH, export IMAGE FOLDER, remove NAME…; an image is a name or the id of a tree",
    },
  ],
  options: [
    { flags: "--name <name>", about: "build, import: under which name it is kept (default: that of the file)" },
    { flags: "--tag <tag>", about: "import: which one of several; export: by which others name it" },
  ],
  exits: {
    3: "there is no home",
    4: "another process uses this home",
    10: "there is no such file, image or Debian package",
    11: "there are several images in it",
    12: "it is no image, is damaged, is for other machines, or has a path, a link or a size that is refused",
    22: "the disk is full",
    40: "the recipe is not sound",
  },
  example: "gdo image import python.tar --name python-3.13",
  async run(session, { args: [action, names], options }) {
    const chosen = Object.hasOwn(ACTIONS, String(action)) ? ACTIONS[String(action)] : undefined;
    if (chosen === undefined) {
      throw new GdoError("USAGE", `no action '${action}'`, { hint: `gdo image ${Object.keys(ACTIONS).join("|")}` });
    }
    await chosen(session, (names ?? []) as readonly string[], options);
    return 0;
  },
};
