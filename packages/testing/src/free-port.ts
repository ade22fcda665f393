// A port for a test server that starts soon, or restarts on the same port. Never from the kernel's ephemeral range: on a busy machine another
// process would have taken it by then. A separate entry point, because benchmarks and set-up scripts use it without vitest.
import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/** The ephemeral range starts at 32768 on Linux, at 49152 on macOS. */
const LAST = 32_767
const FIRST = 12_000

/** Each process starts at another port and returns every other port before it repeats one. */
let latest = randomInt(FIRST, LAST + 1)

export async function findFreePort(host = '127.0.0.1'): Promise<number> {
  for (let tried = FIRST; tried <= LAST; tried += 1) {
    latest = latest === LAST ? FIRST : latest + 1
    // Another call may run in the meantime.
    const port = latest
    if (await isFree(host, port)) return port
  }
  throw new Error(`no port of ${host} is free`)
}

async function isFree(host: string, port: number): Promise<boolean> {
  const server = createServer()
  const { promise, resolve } = Promise.withResolvers<boolean>()
  server.once('error', () => resolve(false))
  server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)))
  return promise
}
