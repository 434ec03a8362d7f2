/**
 * What the protocol host needs of whatever runs containers. RuncRuntime is the real one, FakeRuntime
 * runs programs in process; test/contract/container-runtime.ts is what both keep.
 */
import type { DappLimits } from "./manifest.ts";

/** One container to start. */
export interface ContainerSpec {
  /** Name of the dapp: part of the container's name, and what messages call it. */
  readonly dapp: string;
  /** Folder of the root file system, as the image cache gives it. */
  readonly rootfs: string;
  /** Program and arguments, paths inside the image. */
  readonly run: readonly string[];
  /** The image's variables; what [D3] fixes goes before them. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly limits: DappLimits;
  /** Start it where all is different on which an answer must not hang: clocks, process numbers, scratch [D3]. */
  readonly isVaried?: boolean;
}

/** Which limit the kernel enforced. */
export type LimitHit = "memory" | "pids";

/** How a container ended. */
export interface ContainerEnd {
  /** Exit status of its program; 128 + the signal's number when a signal ended it. */
  readonly status: number;
  readonly limits: readonly LimitHit[];
  /** Why it never ran, when it did not. */
  readonly startFailure?: string;
}

/** What a container says, as it says it. Neither listener may throw. */
export interface ContainerListener {
  output(bytes: Uint8Array): void;
  log(bytes: Uint8Array): void;
}

export interface ContainerProcess {
  readonly name: string;
  /** Hands bytes to its standard input; resolves when there is room for more. Never rejects: an end shows in `ended`. */
  write(bytes: string): Promise<void>;
  /** Settles after its last output, when nothing of it is left. Never rejects. */
  readonly ended: Promise<ContainerEnd>;
  /** Closes its input, by which a well-behaved program ends. */
  closeInput(): void;
  /** Ends it at once. */
  kill(): Promise<ContainerEnd>;
}

export interface RuntimeInfo {
  readonly runtime: string;
  readonly version: string;
  readonly isRootless: boolean;
  /** Limits and confinement that this machine cannot enforce; empty where all is well. */
  readonly missing: readonly string[];
  /** Known ways out of its containers that this version has, one line each. */
  readonly flaws: readonly string[];
}

export interface ContainerRuntime {
  info(): Promise<RuntimeInfo>;
  /** CONTAINER when it cannot even be tried; what goes wrong later shows in `ended`. */
  start(spec: ContainerSpec, listener: ContainerListener): Promise<ContainerProcess>;
  /** Removes containers, control groups and files that bear this runtime's mark, and nothing else. */
  cleanup(): Promise<void>;
}
