/** The link between a door process and its agent, both ends. */
export { DoorLinkClient } from "./link-client.ts";
export { type DoorLinkHost, DoorLinkServer } from "./link-server.ts";
