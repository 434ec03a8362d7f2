import { serve } from "gdo/sdk";
import { quota } from "./quota.ts";

await serve(quota);
