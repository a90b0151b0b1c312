// Asks an answering-server and prints what it says, or the error's code.
//
//     node ask.ts tcp|udp ADDRESS PORT PATIENCE [FROM]
//
// FROM is the port that it asks from by UDP.
//
// After so many milliseconds a silent answer is "silence".
import { createSocket } from "node:dgram";
import { connect } from "node:net";

const [protocol = "", address = "", port = "", patience = "", from = "0"] = process.argv.slice(2);
const answer = protocol === "tcp" ? await askTcp() : await askUdp();
process.stdout.write(answer);
process.exit(0);

function askTcp(): Promise<string> {
  return new Promise((resolve) => {
    let said = "";
    const socket = connect({ host: address, port: Number(port) });
    socket.setTimeout(Number(patience), () => resolve("silence"));
    socket.on("data", (data) => {
      said += data;
    });
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "error"));
    socket.on("end", () => resolve(said));
  });
}

function askUdp(): Promise<string> {
  return new Promise((resolve) => {
    const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
    setTimeout(() => resolve("silence"), Number(patience));
    socket.on("message", (message) => resolve(message.toString()));
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "error"));
    // Connected, so that an ICMP error comes back.
    socket.bind(Number(from), () => {
      socket.connect(Number(port), address, () => socket.send("?"));
    });
  });
}
