// One worker prints endlessly, long lines and many lines; the pool must not be affected (ADR 37). Nothing is timed here: the other endpoint's
// cold start must complete during the noise, which ends only when its job is cancelled.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startStack, type HostKind, type Stack } from '../harness/stack.ts'
import { waitFor } from '../harness/wait.ts'
import { ECHO, sourceCall, valueOf } from './calls.ts'

/** 10 MiB without a newline, then short lines as fast as possible; at most a few minutes, so that nothing is left behind. */
const NOISE = `
def noise():
    import sys, time
    sys.stdout.write("x" * (10 * 1024 * 1024))
    end = time.time() + 240
    while time.time() < end:
        sys.stdout.write("line\\n" * 10000)
        sys.stdout.flush()
`

const MOST_LOG_BYTES = 2 * 1024 * 1024

export function noiseSuite(host: HostKind): void {
  let stack: Stack

  beforeAll(async () => {
    stack = await startStack({ host })
  })
  afterAll(async () => {
    await stack?.stop()
  })

  test('cold starts of another endpoint succeed while a worker prints endlessly', async () => {
    const { api } = stack
    const [loud, quiet] = await Promise.all([
      api.saveEndpoint({ name: 'loud', idleTimeout: 60 }),
      api.saveEndpoint({ name: 'quiet', idleTimeout: 1 }),
    ])
    const noise = await api.run(loud, sourceCall('noise', NOISE))
    const { workerId } = await waitFor('the noise to begin', async () => {
      const status = await api.status(loud, noise)
      return status.status === 'IN_PROGRESS' ? (status as { workerId?: string }) : undefined
    })
    const logOf = async () => (await api.get(`/v1/pod/${workerId}/logs?type=container&tail=1000`)).json['container'] as readonly string[]
    await waitFor('lines to be dropped', async () => (await logOf()).some((line) => /lines \(\d+ bytes\) dropped$/.test(line)))
    for (const value of [1, 2]) {
      const job = await api.run(quiet, sourceCall('echo', ECHO, { value }))
      expect(valueOf((await api.settled(quiet, job)).output)['value']).toBe(value)
      await api.untilZero(quiet)
    }
    expect((await api.status(loud, noise)).status).toBe('IN_PROGRESS')
    expect((await logOf()).join('\n').length).toBeLessThan(MOST_LOG_BYTES)
    await api.post(`/v2/${loud}/cancel/${noise}`, {})
  })
}
