import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mergeConfigs, NO_CONFIG, parseConfig } from "../../../src/storage/config.ts";
import { ConfigFiles } from "../../../src/storage/config-file.ts";
import { TsimgError } from "../../../src/sys/error.ts";
import { temporaryDirectory } from "../../system/support/temporary.ts";

const WHOLE = `
driver = "zfs"

[drivers.zfs]
dataset = "tank/tsimg"
[drivers.zfs.properties]
compression = "lz4"
recordsize = "64K"

[drivers.btrfs]
pool = "fast"
quota = true

[drivers.vfs]
path = "/srv/copies"

[drivers.devicemapper]
data_device = "/dev/sdb1"
metadata_device = "/dev/sdb2"
filesystem = "xfs"
size = "20G"
`;

/** The configuration of a home directory with that file. */
function readText(text: string) {
  using home = temporaryDirectory();
  const file = join(home.path, "config.toml");
  writeFileSync(file, text);
  return new ConfigFiles({ TSIMG_CONFIG: file }).read();
}

describe("a configuration file", () => {
  it("says which driver to use, and where each lies", () => {
    expect(readText(WHOLE)).toEqual({
      driver: "zfs",
      drivers: {
        overlay2: {},
        erofs: {},
        vfs: { path: "/srv/copies" },
        btrfs: { pool: "fast", quota: true },
        zfs: { dataset: "tank/tsimg", properties: { compression: "lz4", recordsize: "64K" } },
        devicemapper: {
          data_device: "/dev/sdb1",
          metadata_device: "/dev/sdb2",
          filesystem: "xfs",
          size: "20G",
        },
      },
    });
  });

  const REFUSED: Readonly<Record<string, readonly [text: string, words: RegExp, hint: RegExp]>> = {
    "an unknown key": ["drvier = 'zfs'", /unknown key 'drvier'/, /driver, drivers/],
    "an unknown driver": ["[drivers.aufs]", /unknown key 'drivers.aufs'/, /drivers.overlay2/],
    "an unknown key of a driver": [
      "[drivers.zfs]\ndatset = 'a'",
      /unknown key 'drivers.zfs.datset'/,
      /known are drivers.zfs.dataset, drivers.zfs.pool, drivers.zfs.properties/,
    ],
    "a key of another driver": [
      "[drivers.vfs]\nquota = true",
      /unknown key 'drivers.vfs.quota'/,
      /drivers.vfs.path/,
    ],
    "a number for a text": ["driver = 1", /'driver' is not a text/, /configuration.md/],
    "a text for a flag": ["[drivers.btrfs]\nquota = 'yes'", /not true or false/, /./],
    "a relative path": ["[drivers.vfs]\npath = 'copies'", /not an absolute path/, /./],
    "two places": ["[drivers.vfs]\npath = '/a'\npool = 'b'", /has both 'drivers.vfs.path'/, /one/],
    "one of two devices": ["[drivers.devicemapper]\ndata_device = '/dev/a'", /one device/, /both/],
    "a property that is no text": [
      "[drivers.zfs.properties]\nrecordsize = 65536",
      /'drivers.zfs.properties.recordsize' is not a text/,
      /./,
    ],
    "a bad file system": ["[drivers.devicemapper]\nfilesystem = 'ext3'", /"ext4" or "xfs"/, /./],
    "an array for a table": ["drivers = []", /'drivers' is not a table/, /./],
    "what is no TOML": ["driver = overlay2", /config\.toml', line 1, column \d+: /, /./],
  };

  it.each(Object.entries(REFUSED))("%s is refused by its name", (_, [text, words, hint]) => {
    const error = thrown(() => readText(text));
    expect(error).toBeInstanceOf(TsimgError);
    expect((error as TsimgError).message).toMatch(words);
    expect((error as TsimgError).hint).toMatch(hint);
  });

  it("whatever it holds, it is understood or refused with the file's name", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (document) => {
        try {
          parseConfig(document, "some.toml");
        } catch (error) {
          expect(error).toBeInstanceOf(TsimgError);
          expect((error as TsimgError).message).toContain("'some.toml'");
        }
      }),
    );
  });
});

describe("several configuration files", () => {
  it("the later one's section of a driver stands as a whole", () => {
    const base = parseConfig({ drivers: { btrfs: { path: "/a", quota: true } } }, "a");
    const over = parseConfig({ driver: "btrfs", drivers: { btrfs: { pool: "b" } } }, "b");
    expect(mergeConfigs(base, over)).toEqual({
      driver: "btrfs",
      drivers: { ...NO_CONFIG.drivers, btrfs: { pool: "b" } },
    });
    expect(mergeConfigs(over, NO_CONFIG)).toEqual(over);
  });

  it("XDG_CONFIG_HOME's comes after the system's; TSIMG_CONFIG takes the place of both", () => {
    expect(new ConfigFiles({ HOME: "/home/a" }).paths).toEqual([
      "/etc/tsimg/config.toml",
      "/home/a/.config/tsimg/config.toml",
    ]);
    expect(new ConfigFiles({ HOME: "/home/a", XDG_CONFIG_HOME: "/x" }).paths[1]).toBe(
      "/x/tsimg/config.toml",
    );
    expect(new ConfigFiles({ TSIMG_CONFIG: "/y" }).paths).toEqual(["/y"]);
  });

  it("one that isn't there is none, unless TSIMG_CONFIG names it", () => {
    using home = temporaryDirectory();
    const environment = { XDG_CONFIG_HOME: home.path };
    expect(new ConfigFiles(environment).read().drivers).toEqual(NO_CONFIG.drivers);
    mkdirSync(join(home.path, "tsimg"));
    writeFileSync(join(home.path, "tsimg/config.toml"), 'driver = "vfs"');
    expect(new ConfigFiles(environment).read().driver).toBe("vfs");
    const named = { TSIMG_CONFIG: join(home.path, "none.toml") };
    expect(thrown(() => new ConfigFiles(named).read())).toMatchObject({
      message: expect.stringContaining("none.toml"),
      hint: "TSIMG_CONFIG names it",
    });
  });
});

function thrown(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}
