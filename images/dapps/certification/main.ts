import { serve } from "../../sdk/index.ts";
import { certification } from "./certification.ts";

await serve(certification);
