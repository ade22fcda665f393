// Processor time of a process, all its threads together, as the system counts it: other load on the machine changes it little.
import { readFile } from 'node:fs/promises'

/** Clock ticks per second in `/proc`, the same on every Linux that Node supports. */
const TICKS_PER_S = 100

export async function processorMs(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8')
  // The fields after the name, which may contain blanks: utime and stime are the 12th and 13th.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_S
}
