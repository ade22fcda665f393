import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Docker from 'dockerode'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ensureAgentVolume } from './agent-volume.ts'
import { removeVolume } from './filled-volume.ts'
import { createDockerHost } from './docker-host.ts'
import { openEngine } from './engine.ts'
import { removeAllWorkers } from './installs.ts'
import { WORKER_IMAGE } from './images.ts'

const socket = '/var/run/docker.sock'
const instanceId = 'agent-volume-test'
const engine = openEngine({ kind: 'unix', socket })
const docker = new Docker({ socketPath: socket })
const AGENT = `
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
console.log(readFileSync('/opt/runyard/runner/deep/main.py', 'utf8'))
try { writeFileSync('/opt/runyard/new', '') } catch (error) { console.log(error.code) }
console.log(readdirSync('/opt/runyard/runner/deep/__pycache__').join(' '))
`

describe('the agent volume', () => {
  let directory = ''
  let name = ''
  const ensure = () => ensureAgentVolume({ engine, version: '0.0.0-test', directory })

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'runyard-agent-'))
    await mkdir(join(directory, 'runner/deep/__pycache__'), { recursive: true })
    await writeFile(join(directory, 'runner/deep/main.py'), 'print("runner")')
    await writeFile(join(directory, 'runner/deep/__pycache__/main.pyc'), 'never copied')
    await writeFile(join(directory, 'agent.mjs'), AGENT)
  })

  afterEach(async () => {
    await removeAllWorkers(engine, instanceId)
    await removeVolume(engine.docker(), name)
    await rm(directory, { recursive: true })
  })

  async function runAgent(): Promise<readonly string[]> {
    const driver = createDockerHost({
      label: 'here',
      connection: { kind: 'unix', socket },
      instanceId,
      release: { version: '0.0.0-test', agentDirectory: directory, workerDockerfile: '' },
    })
    const limits = { memoryBytes: undefined, cpus: undefined, pidsLimit: 64, runtime: undefined, caBundle: undefined }
    const spec = {
      endpointId: 'e',
      specHash: 's',
      endpointVersion: 1,
      image: WORKER_IMAGE,
      withAgent: true,
      entrypoint: [],
      args: [],
      // The agent by itself: Python beside it would need the whole runner.
      env: { RUNYARD_PYTHON: 'python3' },
      gpus: [],
    }
    const lines: string[] = []
    await driver.startWorker({ workerId: 'agent0001', ...spec, ...limits })
    await driver.followLogs('agent0001', { sinceMs: 0, onLine: ({ line }) => lines.push(line), signal: new AbortController().signal })
    return lines
  }

  it('is filled once by concurrent callers, and runs the agent read-only in any image, its Python compiled', async () => {
    const names = await Promise.all([ensure(), ensure(), ensure()])
    name = names[0] ?? ''
    expect(new Set(names).size).toBe(1)
    expect(name).toMatch(/^runyard-agent-0\.0\.0-test-[0-9a-f]{12}$/)
    expect(await docker.listContainers({ all: true, filters: { name: [`${name}-filler`] } })).toEqual([])
    expect(await runAgent()).toEqual(['print("runner")', 'EROFS', expect.stringMatching(/^main\.cpython-3\d+\.pyc$/)])
  })

  it('is filled again where an earlier call was cut off half-way', async () => {
    name = await ensure()
    await removeVolume(engine.docker(), name)
    // What a killed process leaves: the volume and nothing in it.
    await docker.createVolume({ Name: name })
    expect(await ensure()).toBe(name)
    expect(await runAgent()).toEqual(['print("runner")', 'EROFS', expect.stringMatching(/^main\.cpython-3\d+\.pyc$/)])
  })

  it('is another one as soon as one file differs', async () => {
    name = await ensure()
    await writeFile(join(directory, 'runner/deep/main.py'), 'print("newer")')
    const newer = await ensure()
    await removeVolume(engine.docker(), name)
    expect(newer).not.toBe(name)
    name = newer
  })
})
