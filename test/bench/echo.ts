// The HTTP baseline in a process of its own (`echo-server.ts`).
import { join } from 'node:path'
import { findFreePort } from '@runyard/testing/free-port'
import { startChild } from '../harness/child.ts'
import { waitFor } from '../harness/wait.ts'
import { NO_OP_BODY } from './jobs.ts'
import { measureRate, type Target } from './load.ts'

/** Runs `measure` with the warm server. */
export async function withEcho<T>(measure: (target: Target, pid: number) => Promise<T>): Promise<T> {
  const port = await findFreePort()
  const child = startChild({ name: 'echo', command: process.execPath, args: [join(import.meta.dirname, 'echo-server.ts'), `${port}`] })
  try {
    await waitFor('the echo to listen', async () => (await fetch(`http://127.0.0.1:${port}/`)).status === 404)
    const target = { host: '127.0.0.1', port, path: '/echo', headers: { 'content-type': 'application/json' }, body: NO_OP_BODY }
    await measureRate(target, { connections: 64, durationMs: 500 })
    return await measure(target, child.pid)
  } finally {
    await child.stop(1000)
  }
}
