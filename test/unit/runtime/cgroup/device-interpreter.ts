/** What the kernel asks a device program: bits of access, then of the device. */
export interface DeviceRequest {
  /** mknod 1, read 2, write 4. */
  readonly access: number;
  /** Block 1, character 2. */
  readonly kind: number;
  readonly major: number;
  readonly minor: number;
}

/**
 * Runs an eBPF program as the kernel does, as far as device programs need it, and fails on what
 * the kernel's verifier refuses: reading what was never written, jumps out of the program.
 */
export function runDeviceProgram(program: Uint8Array, request: DeviceRequest): number {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const context = [(request.access << 16) | request.kind, request.major, request.minor];
  const registers: (number | "context" | undefined)[] = [undefined, "context"];
  const read = (register: number): number => {
    const value = registers[register];
    if (typeof value !== "number") throw new Error(`register ${register} holds no number`);
    return value;
  };
  for (let at = 0; ; at++) {
    if (at * 8 >= program.byteLength) throw new Error(`ran off the end at ${at}`);
    const opcode = view.getUint8(at * 8);
    const target = view.getUint8(at * 8 + 1) & 0xf;
    const source = view.getUint8(at * 8 + 1) >> 4;
    const offset = view.getInt16(at * 8 + 2, true);
    const immediate = view.getInt32(at * 8 + 4, true);
    switch (opcode) {
      case 0x61: {
        const word = context[offset / 4];
        if (registers[source] !== "context" || word === undefined) throw new Error("bad load");
        registers[target] = word;
        break;
      }
      case 0xb4:
        registers[target] = immediate >>> 0;
        break;
      case 0xbc:
        registers[target] = read(source);
        break;
      case 0x54:
        registers[target] = (read(target) & immediate) >>> 0;
        break;
      case 0x74:
        registers[target] = read(target) >>> immediate;
        break;
      case 0x16:
        if (read(target) === immediate >>> 0) at += offset;
        break;
      case 0x56:
        if (read(target) !== immediate >>> 0) at += offset;
        break;
      case 0x95:
        return read(0);
      default:
        throw new Error(`unknown instruction ${opcode} at ${at}`);
    }
  }
}

/** Which instructions some path leads to: the verifier refuses a program with others. */
export function unreachable(program: Uint8Array): readonly number[] {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const seen = new Set<number>();
  const open = [0];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (seen.has(at)) continue;
    seen.add(at);
    const opcode = view.getUint8(at * 8);
    if (opcode === 0x95) continue;
    open.push(at + 1);
    if (opcode === 0x16 || opcode === 0x56) open.push(at + 1 + view.getInt16(at * 8 + 2, true));
  }
  const all = Array.from({ length: program.byteLength / 8 }, (_, index) => index);
  return all.filter((index) => !seen.has(index));
}
