import { Overlay2Driver } from "../../drivers/overlay2/overlay2.ts";
import { describeDriver } from "./describe-driver.ts";

describeDriver("overlay2", (root) => new Overlay2Driver(root));
