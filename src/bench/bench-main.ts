import { main } from "./process/main.ts";

void main();
