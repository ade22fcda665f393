import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ensureAgentVolume } from './agent-volume.ts'
import { removeVolume } from './filled-volume.ts'
import { openEngine } from './engine.ts'
import { examineEngine } from './examine.ts'
import { WORKER_IMAGE } from './images.ts'
import { provePlane } from './probe-container.ts'
import { createPythonLook } from './python-look.ts'
import { ensureWorkerNetwork } from './worker-network.ts'

const engine = openEngine({ kind: 'unix', socket: '/var/run/docker.sock' })
const server = createServer((_request, response) => response.end('{}'))
let directory: string
let agentVolume: string
let planeUrl: string

describe('a probe container', () => {
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'runyard-probe-'))
    await writeFile(join(directory, 'agent.mjs'), '')
    agentVolume = await ensureAgentVolume({ engine, version: '0.0.0-probe', directory })
    const address = await ensureWorkerNetwork(engine.docker())
    await once(server.listen(0, address), 'listening')
    planeUrl = `http://${address}:${(server.address() as AddressInfo).port}`
  })

  afterEach(async () => {
    server.close()
    await removeVolume(engine.docker(), agentVolume)
    await rm(directory, { recursive: true })
  })

  it('a container shows whether workers reach the worker plane, and nothing of it stays', async () => {
    const prove = () => provePlane(engine, { image: WORKER_IMAGE, agentVolume, planeUrl })
    expect(await prove()).toEqual({ subject: 'worker plane', verdict: 'ok', words: `a container on the host reaches ${planeUrl}` })
    server.close()
    expect(await prove()).toMatchObject({
      verdict: 'missing',
      words: `a container on the host does not reach ${planeUrl} (ECONNREFUSED)`,
      mend: expect.stringContaining('planeUrl') as string,
    })
    // Other tests have probes of their own on this engine.
    const filters = { label: ['runyard.probe'], volume: [agentVolume] }
    expect(await engine.docker().listContainers({ all: true, filters })).toEqual([])
  }, 60_000)
})

it('an image shows which Python it has', async () => {
  const version = await createPythonLook(engine.docker())(WORKER_IMAGE)
  expect(version).toMatch(/^3\.\d+$/)
})

it('a host whose engine cannot hand its GPUs over is recognised, and its toolkit is judged', async () => {
  const run = async (file: string) => (file === 'nvidia-ctk' ? 'NVIDIA Container Toolkit CLI version 1.17.7' : undefined)
  const subjects = async (...cards: readonly string[]) => {
    const findings = await examineEngine(engine, {
      image: WORKER_IMAGE,
      runtimes: ['runsc', 'runc', 'runsc', 'io.containerd.kata.v2'],
      cards,
      env: { PATH: '/nowhere' },
      run,
    })
    return Object.fromEntries(findings.map(({ subject, verdict }) => [subject, verdict]))
  }
  expect(await subjects('GPU-1')).toMatchObject({ 'worker image': 'ok', 'NVIDIA runtime': 'missing', 'container toolkit': 'note' })
  expect(await subjects()).not.toHaveProperty('NVIDIA runtime')
  expect(await subjects()).toMatchObject({ 'runtime runc': 'ok', 'runtime runsc': 'missing', 'runtime io.containerd.kata.v2': 'note' })
})
