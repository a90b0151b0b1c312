import type { Process } from "../../oci/runtime-spec.ts";
import { appArmorProfile } from "../apparmor.ts";
import { capabilitySets, chooseCapabilities } from "../capabilities.ts";
import { commandLine, workingDirectory } from "../command.ts";
import type { SpecInput } from "../create-spec.ts";
import { buildEnvironment } from "../environment.ts";
import { extraGroups } from "../extra-groups.ts";
import { parseOomScore, parseUmask } from "../process-flags.ts";
import { parseSecurityOptions } from "../security-options.ts";
import { parseUlimits } from "../ulimits.ts";
import { resolveUser } from "../user.ts";

/** The container's first process. */
export function processOf(input: SpecInput, hostname: string): Process {
  const { flags, config, host, accounts } = input;
  const { user, home } = resolveUser(flags.user ?? config.User, accounts);
  const groups = [...(user.additionalGids ?? []), ...extraGroups(flags.groupAdd, accounts)];
  const options = parseSecurityOptions(flags.securityOpt);
  const profile = appArmorProfile(options.apparmor, flags.privileged, host.appArmor);
  const rlimits = parseUlimits(flags.ulimit);
  return {
    terminal: flags.tty,
    user: {
      ...user,
      additionalGids: [...new Set(groups)],
      ...(flags.umask === undefined ? {} : { umask: parseUmask(flags.umask) }),
    },
    args: commandLine(flags, config),
    env: buildEnvironment({
      image: config.Env,
      files: input.envFiles,
      flags: flags.env,
      caller: host.environment,
      hostname,
      home,
      tty: flags.tty,
    }),
    cwd: workingDirectory(flags.workdir, config.WorkingDir),
    capabilities: capabilitySets(grantedCapabilities(input), user.uid),
    ...(rlimits.length === 0 ? {} : { rlimits }),
    noNewPrivileges: options.noNewPrivileges,
    ...(profile === undefined ? {} : { apparmorProfile: profile }),
    ...(flags.oomScoreAdj === undefined ? {} : { oomScoreAdj: parseOomScore(flags.oomScoreAdj) }),
  };
}

export function grantedCapabilities({ flags, host }: SpecInput): readonly string[] {
  return chooseCapabilities({
    privileged: flags.privileged,
    add: flags.capAdd,
    drop: flags.capDrop,
    available: host.capabilities,
    devicesLimited: host.devicesLimited,
  });
}
