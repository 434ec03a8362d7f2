/** Dapps: programs in containers that give blocks their meaning. Rules: docs/design/dapps.md. */
export * from "./calls.ts";
export { Contract, namedSchemas } from "./contract.ts";
export { FakeRuntime, type Program } from "./fake-runtime.ts";
export { imageOfForm } from "./form.ts";
export { gateVerdict } from "./gate.ts";
export { DappHost, type DappHostOptions, type Images } from "./host.ts";
export { baseImage } from "./image/bases.ts";
export { ImageCache, type ImageEntry, type ImageStore } from "./image/cache.ts";
export { DEBIAN_ARCHITECTURES, type DebianPackage, packagesMissing } from "./image/debian.ts";
export { readFolder, readNode } from "./image/folder.ts";
export { InstalledPackages, type PackageSource } from "./image/installed.ts";
export { makeNodeBase } from "./image/node-base.ts";
export { type ImageOrigin, parseRecipe, RECIPE_FILE, type Recipe } from "./image/recipe.ts";
export {
  type ImageSettings,
  isReserved,
  parseSettings,
  placeSettings,
  SETTINGS_BYTES_MAX,
  SETTINGS_PATH,
} from "./image/settings.ts";
export {
  checkedMode,
  type ImageContent,
  type ImageFile,
  type ImageFolder,
  type ImageNode,
  ImageTree,
  newFolder,
} from "./image/tree.ts";
export { type DappLimits, type Manifest, parseManifest } from "./manifest.ts";
export { RuncRuntime } from "./runc.ts";
export * from "./runtime.ts";
export { typesModule } from "./schema/types.ts";
export * from "./trial.ts";
export type { DappJournal } from "./warm.ts";
