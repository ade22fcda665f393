// A worker that attacks: its function uses its own token, while other endpoints work normally.
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Stack } from '../harness/stack.ts'
import { waitFor } from '../harness/wait.ts'
import { sourceCall, valueOf } from './calls.ts'

const PROGRAM = join(import.meta.dirname, '..', 'programs', 'hostile_function.py')
/** Upper bound for the attack, whatever happens to the test. */
const LONGEST_S = 120

export interface HostileWorker {
  readonly endpointId: string
  readonly jobId: string
  /** Ends the attack; resolves to its requests and their statuses, `<attack> <status>` → count. */
  readonly stop: () => Promise<Readonly<Record<string, number>>>
}

/** Resolves once the attack has started. */
export async function startHostileWorker(stack: Stack): Promise<HostileWorker> {
  const { api, dataDir } = stack
  const endpointId = await api.saveEndpoint({ name: `hostile-${Date.now()}`, idleTimeout: 5 })
  const [stopFile, jobFile] = [join(dataDir, `${endpointId}.stop`), join(dataDir, `${endpointId}.job`)]
  const code = await readFile(PROGRAM, 'utf8')
  const jobId = await api.run(endpointId, sourceCall('attack', code, { stop: stopFile, job_file: jobFile, seconds: LONGEST_S }))
  await writeFile(jobFile, jobId)
  await waitFor('the hostile function to begin', () => existsSync(`${jobFile}.begun`))
  return {
    endpointId,
    jobId,
    async stop() {
      await writeFile(stopFile, '')
      const job = await api.settled(endpointId, jobId, 200_000)
      const seen = valueOf(job['output'])
      if (Object.keys(seen).length === 0) throw new Error(`the hostile function failed: ${JSON.stringify(job).slice(0, 2000)}`)
      return seen as Record<string, number>
    },
  }
}
