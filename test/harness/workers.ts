// Finds the process of a worker, which a test kills to lose the worker.
import { readdir, readFile } from 'node:fs/promises'
import { runCommand } from './child.ts'
import type { HostKind } from './stack.ts'
import { waitFor } from './wait.ts'

/** For a container its init process, for a process worker the agent that leads its process group. @throws if there is none. */
export async function findWorkerPid(host: HostKind, workerId: string): Promise<number> {
  return await waitFor(`the process of worker ${workerId}`, () => (host === 'docker' ? containerPid(workerId) : agentPid(workerId)))
}

async function containerPid(workerId: string): Promise<number | undefined> {
  const id = (await runCommand('docker', ['ps', '-q', '--no-trunc', '--filter', `label=runyard.worker=${workerId}`])).trim()
  if (id === '') return undefined
  const pid = Number((await runCommand('docker', ['inspect', '--format', '{{.State.Pid}}', id])).trim())
  return pid > 0 ? pid : undefined
}

async function agentPid(workerId: string): Promise<number | undefined> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  for (const pid of pids) {
    const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '')
    // Children of the agent have its variables, too, but not its token, and may have a lower pid after pids have wrapped around.
    if (environment.includes(`RUNPOD_POD_ID=${workerId}\0`) && environment.includes('RUNPOD_AI_API_KEY=')) return Number(pid)
  }
  return undefined
}
