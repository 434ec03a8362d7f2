/** The link between a door process and its agent, both ends. */
export { DoorLinkClient } from "./door-link-client.ts";
export { type DoorLinkHost, DoorLinkServer } from "./door-link-server.ts";
