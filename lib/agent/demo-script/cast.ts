/** Who is in the demo: the nodes of a maker space, their doors and readers. */

export const ORGANISATION = "Dockside Makers";
export const OFFICE = "office";

export interface DoorNode {
  readonly name: string;
  /** One door each; a reader and its door have one name, so that people can follow. */
  readonly readers: readonly string[];
}

export const DOOR_NODES: readonly DoorNode[] = [
  { name: "front-door", readers: ["front-door"] },
  { name: "laser-room", readers: ["laser-room", "laser-1"] },
];

export const DOOR_NODE_NAMES: readonly string[] = DOOR_NODES.map(({ name }) => name);
export const NODE_NAMES: readonly string[] = [OFFICE, ...DOOR_NODE_NAMES];
export const READERS: readonly string[] = DOOR_NODES.flatMap(({ readers }) => readers);

/** The node whose door process serves a reader. */
export function nodeOfReader(reader: string): string {
  const node = DOOR_NODES.find(({ readers }) => readers.includes(reader));
  if (node === undefined) throw new Error(`no node serves the reader ${reader}`); // The day was checked: a bug.
  return node.name;
}
