// A worker is killed during a job: seconds until the function starts again on another worker.
import type { Stack } from '../../harness/stack.ts'
import { waitFor } from '../../harness/wait.ts'
import { findWorkerPid } from '../../harness/workers.ts'
import { ECHO, NAP, sourceCall, valueOf } from '../../suites/calls.ts'
import type { RowGroup } from '../row-group.ts'

export const kill: RowGroup = {
  name: 'kill',
  title: 'worker killed during a job',
  measure: async ({ stack, times }) => {
    const count = times(3)
    const ours = Math.max(...(await killToRerun(stack, count)))
    return [{ path: `worker killed → job runs again, worst of ${count}`, ours, unit: 's', budget: { of: 'ours', most: 1 } }]
  },
}

/** Seconds from SIGKILL of a worker to the function's first line on another worker. */
async function killToRerun(stack: Stack, count: number): Promise<readonly number[]> {
  const endpoint = await stack.api.saveEndpoint({ name: 'bench-kill', workersMax: 2, idleTimeout: 600 })
  const taken: number[] = []
  for (let index = 0; index < count; index += 1) {
    await stack.api.runsync(endpoint, sourceCall('echo', ECHO))
    const id = await stack.api.run(endpoint, sourceCall('nap', NAP, { seconds: 1 }))
    const worker = await waitFor('the job to run', async () => {
      const job = await stack.api.status(endpoint, id)
      return job.status === 'IN_PROGRESS' ? String(job['workerId']) : undefined
    })
    const pid = await findWorkerPid(stack.host, worker)
    const killedAt = Date.now() / 1000
    process.kill(pid, 'SIGKILL')
    const job = await stack.api.settled(endpoint, id)
    taken.push(Number(valueOf(job['output'])['begun']) - killedAt)
  }
  await stack.api.deleteEndpoint(endpoint)
  return taken
}
