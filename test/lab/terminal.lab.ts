/** Terminals: in front, entered, attached to, let go of. */
import "../system/attach.test.ts";
import "../system/exec.test.ts";
import "../system/launcher-console.test.ts";
import "../system/run-terminal.test.ts";
