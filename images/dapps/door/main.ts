import { serve } from "../../sdk/index.ts";
import { door } from "./door.ts";

await serve(door);
