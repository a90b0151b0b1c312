import type { RunFlags } from "../../../src/runtime/run-flags.ts";

/** `tsimg run` without any flag. */
export const NO_FLAGS: RunFlags = {
  ...{ rm: false, detach: false, tty: false, interactive: false, readOnly: false, init: false },
  ...{ privileged: false, publishAll: false, storage: {}, command: [], env: [], envFile: [] },
  ...{
    attach: [],
    annotation: [],
    label: [],
    labelFile: [],
    logOpt: [],
    volume: [],
    mount: [],
    tmpfs: [],
    volumesFrom: [],
  },
  ...{ network: [], net: [], networkAlias: [], addHost: [], dns: [], dnsSearch: [] },
  ...{ dnsOption: [], publish: [], expose: [], capAdd: [], capDrop: [], securityOpt: [] },
  ...{ ulimit: [], sysctl: [], device: [], groupAdd: [], uidmap: [], gidmap: [] },
};
