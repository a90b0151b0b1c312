import { type App, builtProgram } from "../app.ts";
import type { CreateContext } from "../runtime/container/create-container.ts";
import type { ProgramCall } from "../runtime/tape/request.ts";
import type { StorePaths } from "../store/paths.ts";

/** What may decide on where a driver keeps its snapshots. */
const PASSED_ON = /^(PATH|HOME|XDG_[A-Z_]+|TSIMG_[A-Z_]+)$/;

/** What making and starting containers needs of the program. */
export function createContext(app: App): CreateContext {
  const { database, snapshots, containers, paths } = app;
  return {
    database,
    snapshots,
    containers,
    paths,
    endedProgram: (id) => endedCall(paths, id),
    initProgram: builtProgram("launcher"),
    networks: containers.networks,
  };
}

/** How a launcher calls the command above. */
function endedCall(paths: StorePaths, id: string): ProgramCall {
  const store = ["--root", paths.root, "--runroot", paths.runRoot];
  const env = Object.entries(process.env).filter(([name]) => PASSED_ON.test(name));
  return {
    argv: [process.execPath, builtProgram("tsimg.cjs"), ...store, "container-ended", id],
    env: env.map(([name, value]) => `${name}=${value}`),
    why: "seeing to the container that has ended",
  };
}
