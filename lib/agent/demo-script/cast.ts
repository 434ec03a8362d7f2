/** Who is in the demo: the nodes of a maker space, their doors and readers. */

export const ORGANISATION = "Dockside Makers";
export const OFFICE = "office";

export interface DoorNode {
  readonly name: string;
  /** One door each; a reader and its door have one name, so that people can follow. */
  readonly readers: readonly string[];
}

/** A machine that asks for dues and a certificate. It hangs at the node whose link is cut, and is no part of the day file. */
export const LATHE = "lathe";

export const DOOR_NODES: readonly DoorNode[] = [
  { name: "front-door", readers: ["front-door", LATHE] },
  { name: "laser-room", readers: ["laser-room", "laser-1"] },
];

export const DOOR_NODE_NAMES: readonly string[] = DOOR_NODES.map(({ name }) => name);
export const NODE_NAMES: readonly string[] = [OFFICE, ...DOOR_NODE_NAMES];
export const ALL_READERS: readonly string[] = DOOR_NODES.flatMap(({ readers }) => readers);
/** Those of which a day file tells. */
export const READERS: readonly string[] = ALL_READERS.filter((reader) => reader !== LATHE);

/** The node whose door process serves a reader. */
export function nodeOfReader(reader: string): string {
  const node = DOOR_NODES.find(({ readers }) => readers.includes(reader));
  if (node === undefined) throw new Error(`no node serves the reader ${reader}`); // The day was checked: a bug.
  return node.name;
}
