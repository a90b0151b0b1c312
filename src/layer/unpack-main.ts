import { main } from "./unpack-process.ts";

void main();
