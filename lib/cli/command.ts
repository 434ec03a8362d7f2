/**
 * What a command is: data that main.ts turns into a parser and a help text, and one function. A
 * command's file imports nothing heavy at its top; what it needs it imports when it runs, so that
 * help and wrong use cost no database and no addon. Rules: docs/design/cli.md.
 */
import type { Api } from "../agent/index.ts";
import type { Output } from "./output.ts";

/** What the command line as a whole gives to each command. */
export interface Session {
  /** `--home` as given; the agent's rules say what holds without it. */
  readonly homeFlag: string | undefined;
  readonly json: boolean;
  readonly out: Output;
}

export interface ArgumentSpec {
  /** In the parser's form: `<name>` is needed, `[name]` is not, `<name...>` repeats. */
  readonly form: string;
  readonly about: string;
}

export interface OptionSpec {
  readonly flags: string;
  readonly about: string;
  /** Text to value; throws GdoError USAGE. */
  readonly parse?: (text: string) => unknown;
  readonly default?: unknown;
}

/** Values of the arguments in order, then of the options by their long name in camel case. */
export interface Given {
  readonly args: readonly (string | readonly string[] | undefined)[];
  // biome-ignore lint/suspicious/noExplicitAny: each command reads the options that it declared itself.
  readonly options: Readonly<Record<string, any>>;
}

export interface CommandSpec {
  readonly name: string;
  readonly summary: string;
  readonly arguments?: readonly ArgumentSpec[];
  readonly options?: readonly OptionSpec[];
  /** Exit status → meaning, beyond 0 and 2, which mean the same everywhere. */
  readonly exits: Readonly<Record<number, string>>;
  readonly example: string;
  /** Resolves to the exit status; nothing means 0. */
  run(session: Session, given: Given): Promise<number | undefined>;
}

/**
 * Calls the home's agent, or the home itself where no agent runs, and always lets go of it. `onlyAgent`: for what
 * waits for things to come; AGENT_UNREACHABLE without one.
 */
export async function withApi<T>(
  session: Session,
  use: (api: Api) => Promise<T>,
  { onlyAgent = false }: { readonly onlyAgent?: boolean } = {},
): Promise<T> {
  const { agentApi, homeRoot, openApi } = await import("../agent/index.ts");
  const root = homeRoot(session.homeFlag);
  const api = onlyAgent ? await agentApi(root) : await openApi(root);
  try {
    return await use(api);
  } finally {
    await api.close();
  }
}
