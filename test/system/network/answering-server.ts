// A server for tests: says on TCP and UDP who it is and who asked, as `web 10.0.0.2`.
//
//     node answering-server.ts NAME PORT
//
// Prints "ready" once it listens.
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";

const [name = "", port = "0"] = process.argv.slice(2);
const bare = (address: string | undefined) => (address ?? "").replace(/^::ffff:/, "");

const server = createServer((socket) => {
  socket.on("error", () => {});
  socket.end(`${name} ${bare(socket.remoteAddress)}`);
});
server.listen({ port: Number(port), host: "::" });
await once(server, "listening");

const socket = createSocket("udp6");
socket.on("message", (_message, from) => {
  socket.send(`${name} ${bare(from.address)}`, from.port, from.address);
});
socket.bind(Number(port), "::");
await once(socket, "listening");
process.stdout.write("ready\n");
