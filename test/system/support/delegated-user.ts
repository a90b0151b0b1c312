import { chmodSync } from "node:fs";
import { TSIMG } from "../run-stage.ts";
import { DelegatedGroup } from "./delegated-group.ts";
import type { Owner } from "./limit-stage.ts";
import { OrdinaryUser } from "./ordinary-user.ts";
import { type TemporaryDirectory, temporaryDirectory } from "./temporary.ts";
import { Tsimg } from "./tsimg.ts";

/** An ordinary user with a group of version 2, whose shell is in one of two places of it. */
export class DelegatedUser implements AsyncDisposable {
  readonly user: OrdinaryUser;
  readonly group: DelegatedGroup;
  private readonly directory: TemporaryDirectory;

  /** @param name nobody else's, of the user and of the group */
  constructor(name: string) {
    this.directory = temporaryDirectory();
    chmodSync(this.directory.path, 0o711);
    this.user = new OrdinaryUser(name, `${this.directory.path}/home`);
    this.group = new DelegatedGroup(name, this.user.uid);
  }

  /** For a stage, with a shell in that group: `group.path`, `group.session` or one outside. */
  owner(shell: string): Owner {
    const { user, group } = this;
    return {
      directory: user.home,
      groups: group.path,
      tsimg: (root) => new UsersTsimg(root, (words) => group.argv(shell, ...user.argv(...words))),
      [Symbol.dispose]: () => user.kill(),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.user[Symbol.dispose]();
    await this.group.remove();
    this.directory[Symbol.dispose]();
  }
}

/** Without network: what connects a user's containers is another test's business. */
class UsersTsimg extends Tsimg {
  private readonly as: (words: readonly string[]) => readonly string[];

  constructor(root: string, as: (words: readonly string[]) => readonly string[]) {
    super(root);
    this.as = as;
  }

  override argv(args: readonly string[]): readonly string[] {
    return this.as(["env", "TSIMG_NETWORK=none", TSIMG, "--root", this.root, ...args]);
  }
}
