import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeHostConformance } from '@runyard/testing'
import type { HostFixture } from '@runyard/testing'
import { createProcessHost } from './process-host.ts'

const SCRIPT = 'RUNYARD_TEST_SCRIPT'

async function createFixture(): Promise<HostFixture> {
  const scratchDir = await mkdtemp(join(tmpdir(), 'runyard-process-host-'))
  const agentCommand = ['sh', '-c', `eval "$${SCRIPT}"`]
  const create = (instanceId: string) => createProcessHost({ hostId: 'here', instanceId, scratchDir, agentCommand })
  return {
    createDriver: () => create('one'),
    createStranger: () => create('two'),
    launch: (base, script) => ({ ...base, withAgent: true, env: { ...base.env, [SCRIPT]: script } }),
    kill: async (workerId) => {
      const { pid } = JSON.parse(await readFile(join(scratchDir, workerId, 'worker.json'), 'utf8')) as { pid: number }
      process.kill(pid, 'SIGKILL')
    },
    leftovers: async () => [...(await readdir(scratchDir)), ...(await processesIn(scratchDir))],
    [Symbol.asyncDispose]: () => rm(scratchDir, { recursive: true }),
  }
}

/** Processes that carry the scratch directory in their environment. */
async function processesIn(scratchDir: string): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const marked = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')
      return environment.includes(`RUNYARD_SCRATCH_DIR=${scratchDir}/`) ? [`process ${pid}`] : []
    }),
  )
  return marked.flat()
}

describeHostConformance('the process host', createFixture, { memoryLimit: false, foreignExitCodes: false, gpu: true })
