import { serve } from "../../sdk/index.ts";
import { membership } from "./membership.ts";

await serve(membership);
