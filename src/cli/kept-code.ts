import {
  accessSync,
  constants,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createRequire, Module } from "node:module";
import { dirname } from "node:path";
import { Script } from "node:vm";

/** Runs after each of which the kept code grows by what that run needed anew. */
const ROUNDS = 3;
/** Of those after it every so many-th: the first may have been unusual ones. */
const EVERY = 32;
/** Bytes before the code in the file: what it was made of, and how many runs it has seen. */
const HEADER = 128;

export interface KeptModule {
  readonly exports: unknown;
  /** Keeps what V8 has compiled by now, in the first few runs. Call it as the process ends. */
  readonly keep: () => void;
}

/**
 * Loads a CommonJS file together with the code that V8 made of it in earlier runs.
 *
 * Node's own cache keeps a file's code as it is right after loading, when V8 has compiled next
 * to none of its functions: each is then compiled when it is first called, in every run anew.
 * This one is written when one of the first runs is over, and now and then later. It is trusted as the file itself is, and only
 * whoever may write beside that can write it.
 *
 * @param file   in ASCII, which is read fastest
 * @param keptIn the file that the code is kept in; one that can't be read or written, or is
 *               another build's, costs time and nothing else
 * @param lot    any number, which decides whether this is one of the later runs that write
 * @see https://nodejs.org/api/vm.html#scriptcreatecacheddata
 */
export function loadKept(file: string, keptIn: string, lot: number = process.pid): KeptModule {
  const source = readFileSync(file, "latin1");
  const { mtimeMs, size } = statSync(file);
  const made = `${process.version} ${process.arch} ${mtimeMs} ${size}`;
  const kept = readKept(keptIn, made);
  const [before, after] = ["(function(exports,require,module,__filename,__dirname){", "\n})"];
  const script = new Script(before + source + after, {
    filename: file,
    columnOffset: -before.length,
    ...(kept === undefined ? {} : { cachedData: kept.code }),
  });
  const round = script.cachedDataRejected === false && kept !== undefined ? kept.round : 0;
  return {
    exports: run(script, file),
    keep: () => {
      if (round < ROUNDS || lot % EVERY === 0)
        write(keptIn, `${made} ${Math.min(round + 1, ROUNDS)}`, script);
    },
  };
}

/** As Node's own loader does; files that it loads in turn find it there. */
function run(script: Script, file: string): unknown {
  const load = createRequire(file);
  const module = new Module(file);
  module.filename = file;
  load.cache[file] = module;
  script.runInThisContext()(module.exports, load, module, file, dirname(file));
  module.loaded = true;
  return module.exports;
}

function readKept(path: string, made: string): { code: Buffer; round: number } | undefined {
  let whole: Buffer;
  try {
    whole = readFileSync(path);
  } catch {
    return undefined;
  }
  const header = whole.toString("latin1", 0, HEADER).trimEnd();
  const end = header.lastIndexOf(" ");
  if (header.slice(0, end) !== made) return undefined;
  return { code: whole.subarray(HEADER), round: Number(header.slice(end)) };
}

function write(path: string, header: string, script: Script): void {
  const unfinished = `${path}.${process.pid}`;
  try {
    // Whatever the umask: who can write here has whoever runs tsimg do as they like.
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    // Before the work: an ordinary user can't write beside root's program.
    accessSync(dirname(path), constants.W_OK);
    const start = Buffer.from(header.padEnd(HEADER), "latin1");
    const whole = Buffer.concat([start, script.createCachedData()]);
    // V8 believes what it reads: a file that a power cut left half empty must not be there.
    writeFileSync(unfinished, whole, { flush: true, mode: 0o644 });
    renameSync(unfinished, path);
  } catch {
    // A full disk, or not ours to write: the next run takes longer, that is all.
    rmSync(unfinished, { force: true });
  }
}
