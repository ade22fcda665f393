// The alternative that a user might pick: Celery with Redis. Two worker processes next to our two, a no-op task, and Celery's own Python client,
// which avoids the HTTP that our figures include.
import { join } from 'node:path'
import { runCommand, startChild } from '../../harness/child.ts'
import { ensureVenv, venvPython, type VenvName } from '../../harness/venvs.ts'
import { warmP50 } from '../jobs.ts'
import { median } from '../load.ts'
import type { RowGroup } from '../row-group.ts'
import { endToEnd } from './through.ts'

const VENV: VenvName = 'celery-5.7'
const WORKERS = 2
const PROGRAM = join(import.meta.dirname, '..', 'celery')

export const celery: RowGroup = {
  name: 'celery',
  title: 'Celery with Redis',
  measure: async ({ stack, times }) => {
    const theirs = await measureCelery(stack.redis.socket, { latencies: times(500), jobs: times(2000) })
    const ours = await warmP50(stack, times(500))
    const rate = await endToEnd(stack, { workers: WORKERS, count: times(2000) })
    return [
      {
        path: 'warm /runsync one after another, p50, over a Celery task',
        ours,
        beside: median(theirs.latenciesMs),
        unit: 'ms',
        budget: { of: 'ratio', most: 0.8 },
      },
      {
        path: `no-op jobs, ${WORKERS} Python workers, over Celery's`,
        ours: rate,
        beside: theirs.perSecond,
        unit: 'per second',
        budget: { of: 'ratio', least: 2 },
      },
    ]
  },
}

interface Measures {
  readonly latenciesMs: readonly number[]
  readonly perSecond: number
}

async function measureCelery(socket: string, counts: { latencies: number; jobs: number }): Promise<Measures> {
  await ensureVenv(VENV)
  const python = venvPython(VENV)
  // A separate database, without our keys.
  const env = { ...process.env, BENCH_REDIS_URL: `redis+socket://${socket}?virtual_host=1` }
  const args = ['-m', 'celery', '-A', 'app', 'worker', '--concurrency', `${WORKERS}`, '--loglevel', 'error']
  const worker = startChild({ name: 'celery', command: python, args, env, cwd: PROGRAM })
  try {
    const client = [join(PROGRAM, 'client.py'), `${counts.latencies}`, `${counts.jobs}`]
    return JSON.parse(await runCommand(python, client, { env, cwd: PROGRAM, timeoutMs: 120_000 })) as Measures
  } finally {
    await worker.stop(10_000)
  }
}
