// A port for a server of a test that starts in a moment, or starts again where it was. Never one of those that the kernel itself gives out, to
// outgoing connections and to listeners without a wish: on a busy machine somebody else would have it by then. An entry of its own: benchmarks
// and set-up scripts use it without vitest.
import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/** Linux gives out ports from 32768 on, macOS from 49152. */
const LAST = 32_767
const FIRST = 12_000

/** Each process begins elsewhere and names none twice before all the others. */
let latest = randomInt(FIRST, LAST + 1)

export async function findFreePort(host = '127.0.0.1'): Promise<number> {
  for (let tried = FIRST; tried <= LAST; tried += 1) {
    latest = latest === LAST ? FIRST : latest + 1
    // Others may ask meanwhile.
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
