export * from "./line.ts";
export * from "./line-board.ts";
export { edgesOf, type FrameReport, type TrainEdge } from "./line-protocol.ts";
export * from "./onoff-line.ts";
export * from "./simulated-lines.ts";
export * from "./strike.ts";
export * from "./wiegand-reader.ts";
