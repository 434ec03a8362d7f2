/** Dapps: programs in containers that give blocks their meaning. Rules: docs/design/dapps.md. */
export * from "./calls.ts";
export { FakeRuntime, type Program } from "./fake-runtime.ts";
export { DappHost, type Images } from "./host.ts";
export { ImageCache, type ImageEntry, type ImageStore } from "./image/cache.ts";
export { makeNodeBase } from "./image/node-base.ts";
export { type DappLimits, type Manifest, parseManifest } from "./manifest.ts";
export { RuncRuntime } from "./runc.ts";
export * from "./runtime.ts";
