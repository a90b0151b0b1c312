import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { at, codeOf, type RoundCases, run } from "./round.ts";

/** open(2): a file without a name in the directory that is opened. */
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;

export const PROGRAM_ROUNDS: RoundCases = {
  // Its index is a shared writable mapping of a file below
  "a database that was not closed is recovered and written on": [
    at((path) => {
      mkdirSync(path("db"));
      for (const [name, content] of Object.entries(unclosedDatabase()))
        writeFileSync(path(`db/${name}`), content);
    }),
    at((path) => {
      using database = new DatabaseSync(path("db/data"));
      database.exec("pragma mmap_size = 10000000; insert into numbers values (1000)");
      return database.prepare("select count(*) n, max(n) last from numbers").get();
    }),
    at((path) => {
      using database = new DatabaseSync(path("db/data"));
      using reader = new DatabaseSync(path("db/data"), { readOnly: true });
      database.exec("delete from numbers where n < 500");
      return reader.prepare("select count(*) n from numbers").get();
    }),
    at((path) => readdirSync(path("db"))),
  ],
  "a file without a name is written and then given one": [
    at((path) => mkdirSync(path("d"))),
    (root, keeps) => {
      // Where there is no O_TMPFILE programs write beside and rename.
      if (!keeps.namelessFiles) {
        const refused = codeOf(() => openNameless(`${root}/d`));
        writeFileSync(`${root}/d/named`, "written first");
        return ["", "ENOTSUP", "EOPNOTSUPP"].includes(refused);
      }
      const fd = openNameless(`${root}/d`);
      writeSync(fd, "written first");
      const before = readdirSync(`${root}/d`);
      run(root, "ln", "-L", `/proc/${process.pid}/fd/${fd}`, "d/named");
      closeSync(fd);
      return before.length === 0;
    },
    at((path) => writeFileSync(path("d/named"), "changed")),
  ],
  "archives are unpacked over what is there": [
    (root) => {
      run(root, "sh", "-c", "mkdir -p a/b c; echo 1 > a/f; echo 2 > a/b/g; ln -s a s; mkfifo c/p");
      run(root, "tar", "--sort=name", "--mtime=@1000", "-cf", "one.tar", "a", "c", "s");
    },
    (root) => {
      run(root, "sh", "-c", "rm -r a; echo 3 > a; rm s; mkdir s; chmod 600 c/p");
      rmSync(join(root, "c"), { recursive: true });
    },
    (root) => {
      run(root, "rm", "a");
      run(root, "rmdir", "s");
      run(root, "tar", "-xf", "one.tar");
      return statSync(join(root, "s/b/g")).size;
    },
  ],
  "a script edits files in place, and a log is rotated": [
    (root) => {
      run(root, "sh", "-c", "mkdir etc; for i in 1 2 3; do echo key=$i > etc/$i.conf; done");
      run(root, "sh", "-c", "echo one > log");
    },
    (root) => {
      run(root, "sed", "-i", "s/key/name/", "etc/1.conf", "etc/2.conf");
      run(root, "sh", "-c", "mv log log.1; echo two > log; cat log.1 log");
    },
    (root) => {
      run(root, "sh", "-c", "mv log.1 log.2; cp log log.1; : > log; echo three >> log");
      return readFileSync(join(root, "log.2"), "latin1");
    },
  ],
};

let unclosed: Readonly<Record<string, Buffer>> | undefined;

/** The three files of a database in WAL mode, as a power cut leaves them: made once. */
function unclosedDatabase(): Readonly<Record<string, Buffer>> {
  if (unclosed !== undefined) return unclosed;
  const directory = mkdtempSync(join(tmpdir(), "tsimg-database-"));
  try {
    using database = new DatabaseSync(join(directory, "data"));
    database.exec("pragma journal_mode = wal; create table numbers (n integer)");
    for (let n = 0; n < 1000; n++) database.exec(`insert into numbers values (${n})`);
    const files = readdirSync(directory).map((name) => [name, readFileSync(join(directory, name))]);
    unclosed = Object.fromEntries(files) as Record<string, Buffer>;
    return unclosed;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function openNameless(directory: string): number {
  return openSync(directory, O_TMPFILE | constants.O_RDWR, 0o644);
}
