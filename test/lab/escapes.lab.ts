/** Attacks on containers whose devices a program guards, and which have no version 1 groups. */
import "../system/escape-descriptors.test.ts";
import "../system/escape-host.test.ts";
import "../system/escape-image.test.ts";
import "../system/escape-kernel.test.ts";
import "../system/escape-mounts.test.ts";
import "../system/launcher-hostile.test.ts";
