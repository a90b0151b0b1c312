import { join } from "node:path";
import { ErofsDriver } from "../../drivers/erofs/erofs.ts";
import { describeDriver } from "./describe-driver.ts";

describeDriver("erofs", (root) => new ErofsDriver({ name: "erofs", home: join(root, "erofs") }));
