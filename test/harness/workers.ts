// The process of a worker as its host runs it: what a test kills to see a worker lost.
import { readdir, readFile } from 'node:fs/promises'
import { runCommand } from './child.ts'
import type { HostKind } from './stack.ts'
import { waitFor } from './wait.ts'

/** Of a container its init, of a process worker the agent that leads its process group. @throws where there is none. */
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
    // What the agent runs has its variables, too, but not its token, and since pids begin anew perhaps a lower pid.
    if (environment.includes(`RUNPOD_POD_ID=${workerId}\0`) && environment.includes('RUNPOD_AI_API_KEY=')) return Number(pid)
  }
  return undefined
}
