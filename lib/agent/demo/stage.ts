/**
 * The stage of the demo: three homes, their processes, the doors' boards and links. Everything that
 * is started here ends in close(), whatever has happened between.
 */
import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Clock, GdoError } from "../../base/index.ts";
import { LineBoard } from "../../device/index.ts";
import { DOOR_NODES, type DoorNode, OFFICE, ORGANISATION } from "../demo-script/cast.ts";
import { homePaths, readSecret } from "../home/home.ts";
import { initHome, joinHome } from "../home/setup.ts";
import { openApi } from "../open-api.ts";
import { AgentLink } from "./agent-link.ts";
import { Child, type ChildEvent } from "./child.ts";
import { boardSocket, doorConfig, homeOf, officeConfig } from "./layout.ts";
import { LinkProxy } from "./link-proxy.ts";

export interface StageOptions {
  readonly folder: string;
  /** Path of bin/gdo. */
  readonly launcher: string;
  /** Wall time at which all clocks start. */
  readonly startMs: number;
  readonly clock: Clock;
  /** What a node's process prints as JSON. */
  onChild(process: string, node: string, event: ChildEvent): void;
  onDeath(process: string, how: string): void;
  /** A guardian brought a strike down. */
  onReleased(node: string, line: string): void;
  /** A process does not come up any more: the demo cannot go on. */
  onGivenUp(error: GdoError): void;
}

export interface Node {
  readonly name: string;
  readonly agent: Child;
  readonly link: AgentLink;
}

export interface DoorStation extends Node {
  readonly readers: readonly string[];
  readonly door: Child;
  readonly board: LineBoard;
  readonly cable: LinkProxy;
  /** Numbers of the entries that the door said it had logged. */
  lastLogged: number;
}

interface Device {
  readonly key: string;
  readonly name: string;
  readonly principal: string;
}

/** An agent that died and was not started again leaves containers; opening its home removes them. */
async function clearAway(root: string): Promise<void> {
  try {
    const api = await openApi(root);
    await api.close();
  } catch (error) {
    if (!(error instanceof GdoError)) throw error; // A home that cannot be opened: its agent said why.
  }
}

export class Stage {
  readonly options: StageOptions;
  readonly stations: DoorStation[] = [];
  #office: Node | undefined;
  readonly #agents: { readonly child: Child; readonly root: string }[] = [];
  readonly #closers: (() => Promise<void>)[] = [];

  constructor(options: StageOptions) {
    this.options = options;
  }

  get office(): Node {
    if (this.#office === undefined) throw new Error("the office is not there yet");
    return this.#office;
  }

  get nodes(): readonly Node[] {
    return [this.office, ...this.stations];
  }

  get restarts(): number {
    const children = [this.office.agent, ...this.stations.flatMap(({ agent, door }) => [agent, door])];
    return children.reduce((sum, { restarts }) => sum + restarts, 0);
  }

  /** Founds the organisation and starts the office's agent. */
  async found(): Promise<void> {
    const { folder, startMs } = this.options;
    const root = homeOf(folder, OFFICE);
    await initHome({ root, organisation: ORGANISATION, nodeName: OFFICE, config: officeConfig(startMs) });
    this.#office = this.#node(OFFICE);
    await this.#office.agent.ready();
  }

  /** Makes the doors' homes, has the charter admit their devices, and starts their processes. */
  async joinDoors(): Promise<void> {
    const { brokerPort } = await this.office.agent.ready();
    const devices: Device[] = [];
    const starts: (() => void)[] = [];
    for (const node of DOOR_NODES) {
      const cable = await LinkProxy.start(Number(brokerPort));
      this.#closers.push(() => cable.close());
      devices.push(...(await this.#join(node, cable.port)));
      const board = await this.#board(node.name);
      starts.push(() => this.#start(node, cable, board));
    }
    const principals = DOOR_NODES.map(({ name }) => ({ id: name, roles: ["device"] }));
    await this.office.link.command("admit", { devices, principals });
    await this.office.link.command("merge", {});
    for (const start of starts) start();
  }

  async #join(node: DoorNode, brokerPort: number): Promise<Device[]> {
    const { folder, startMs } = this.options;
    const office = homePaths(homeOf(folder, OFFICE));
    const root = homeOf(folder, node.name);
    const { nodeKey, doorKey } = await joinHome({
      root,
      charterEnvelope: new Uint8Array(readFileSync(office.charter)),
      credentialKey: readSecret(office.credentialKey),
      config: doorConfig(folder, node, { startMs, brokerPort }),
    });
    if (doorKey === undefined) throw new Error(`${node.name} was joined without a door key`);
    return [
      { key: nodeKey, name: node.name, principal: node.name },
      { key: doorKey, name: `${node.name}-lock`, principal: node.name },
    ];
  }

  async #board(node: string): Promise<LineBoard> {
    const board = await LineBoard.listen(boardSocket(this.options.folder, node), this.options.clock);
    this.#closers.push(() => board.close());
    board.onLevel(({ line, high, by }) => {
      if (!high && by === "safe") this.options.onReleased(node, line);
    });
    return board;
  }

  #start({ name, readers }: DoorNode, cable: LinkProxy, board: LineBoard): void {
    const door = this.#child("door", name);
    this.stations.push({ ...this.#node(name), readers, door, board, cable, lastLogged: -1 });
  }

  #node(name: string): Node {
    const link = new AgentLink(`the agent of ${name}`, homeOf(this.options.folder, name), this.options.clock);
    this.#closers.push(() => link.close());
    const agent = this.#child("agent", name);
    this.#agents.push({ child: agent, root: homeOf(this.options.folder, name) });
    return { name, agent, link };
  }

  #child(command: "agent" | "door", node: string): Child {
    const { folder, launcher, clock } = this.options;
    const process = `${command} of ${node}`;
    const logPath = join(folder, `${node}-${command}.log`);
    const child = new Child({
      name: `the ${process}`,
      words: [launcher, "--home", homeOf(folder, node), "--json", command, "--with-parent"],
      clock,
      onEvent: (event) => this.#take(process, node, event),
      onDeath: (how) => this.options.onDeath(process, how),
      onGivenUp: (error) => this.options.onGivenUp(error),
      onComplaint: (line) => appendFileSync(logPath, `${line}\n`),
    });
    this.#closers.push(() => child.stop());
    return child;
  }

  /** A broker that comes back may have another port; the cables follow. */
  #take(process: string, node: string, event: ChildEvent): void {
    if (event.type === "ready" && typeof event.brokerPort === "number") {
      for (const { cable } of this.stations) cable.retarget(event.brokerPort);
    }
    this.options.onChild(process, node, event);
  }

  /** Moves the agents' wall time along; one that is away is told the next time. */
  async steer(wallMs: number): Promise<void> {
    await Promise.all(this.nodes.map(({ link }) => link.ask("steer", { wallMs })));
  }

  /** Stops in the reverse order of starting: doors before their agents, the office last. */
  async close(): Promise<void> {
    const dead = this.#agents.filter(({ child }) => child.pid === undefined).map(({ root }) => root);
    for (const closer of this.#closers.splice(0).reverse()) await closer();
    for (const root of dead) await clearAway(root);
  }
}
