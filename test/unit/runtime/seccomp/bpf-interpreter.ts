/** `struct seccomp_data`, without the instruction pointer. */
export interface Call {
  readonly audit: number;
  readonly number: number;
  readonly args: readonly bigint[];
}

/** Runs a filter as the kernel does, and fails on whatever the kernel would refuse. */
export function runFilter(filter: Buffer, call: Call): number {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(call.number >>> 0, 0);
  data.writeUInt32LE(call.audit >>> 0, 4);
  call.args.forEach((arg, index) => {
    data.writeBigUInt64LE(BigInt.asUintN(64, arg), 16 + 8 * index);
  });
  let accumulator = 0;
  for (let at = 0; ; ) {
    const from = at * 8;
    if (from >= filter.length) throw new Error(`ran off the end at ${at}`);
    const operand = filter.readUInt32LE(from + 4);
    at++;
    switch (filter.readUInt16LE(from)) {
      case 0x20:
        if (operand % 4 !== 0) throw new Error(`unaligned load of ${operand}`);
        accumulator = data.readUInt32LE(operand);
        break;
      case 0x54:
        accumulator = (accumulator & operand) >>> 0;
        break;
      case 0x05:
        at += operand;
        break;
      case 0x15:
        at += filter[from + (accumulator === operand ? 2 : 3)] ?? 0;
        break;
      case 0x25:
        at += filter[from + (accumulator > operand ? 2 : 3)] ?? 0;
        break;
      case 0x35:
        at += filter[from + (accumulator >= operand ? 2 : 3)] ?? 0;
        break;
      case 0x06:
        return operand;
      default:
        throw new Error(`not an instruction for seccomp at ${at - 1}`);
    }
  }
}
