import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EngineConnection } from '@runyard/schema'
import Docker from 'dockerode'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { openEngine } from './engine.ts'
import { commandsOn } from './host-commands.ts'
import { PROBE_LABEL, removeLeftProbes } from './remove-container.ts'
import { importShell, startEngine, suiteOnOwnEngine } from './testing/gpu-engine-fixture.ts'
import { startTlsEngine, type TlsEngine } from './testing/remote-engine-fixture.ts'

const IMAGE = 'runyard/shell:latest'
const WAIT = { timeout: 20_000, interval: 50 }
/** Like `nvidia-smi -l`, it never ends by itself. */
const NVIDIA_SMI = `#!/bin/sh
echo "$NVIDIA_VISIBLE_DEVICES $*"
[ "$1" = -L ] && exit 3
kill -STOP $$
`

suiteOnOwnEngine('commands on a machine that only TLS reaches', () => {
  let dir: string
  let dockerd: ChildProcess
  let docker: Docker
  let tls: TlsEngine
  let connection: EngineConnection

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'runyard-engine-'))
    const socket = join(dir, 'docker.sock')
    dockerd = await startEngine(dir, socket)
    docker = new Docker({ socketPath: socket })
    await importShell(docker, dir, { 'nvidia-smi': NVIDIA_SMI })
    tls = await startTlsEngine(dir, socket)
    connection = { kind: 'tcp', host: '127.0.0.1', port: tls.port, tls: tls.tls }
  })

  afterAll(async () => {
    await tls?.[Symbol.asyncDispose]()
    dockerd.kill('SIGTERM')
    await once(dockerd, 'exit')
    await rm(dir, { recursive: true, force: true })
  })

  const containers = () => docker.listContainers({ all: true })

  it('run in a container that sees all GPUs and the processes of the host, and nothing of it stays', async () => {
    await using engine = openEngine(connection)
    const { run, follow } = commandsOn(engine, IMAGE)
    expect(await run('nvidia-smi', ['-L'])).toBe('all -L\n')
    expect(await run('nvidia-ctk', ['--version'])).toBeUndefined()
    const stop = new AbortController()
    const outputs: string[] = []
    const followed = follow('nvidia-smi', ['-q', '-x', '-l', '5'], { signal: stop.signal, onOutput: (text) => outputs.push(text) })
    await vi.waitFor(() => expect(outputs.join('')).toBe('all -q -x -l 5\n'), WAIT)
    const [only, ...more] = await containers()
    expect(more).toEqual([])
    const { HostConfig } = await docker.getContainer(only?.Id ?? '').inspect()
    expect(HostConfig).toMatchObject({ PidMode: 'host', NetworkMode: 'none', CapDrop: ['ALL'], ReadonlyRootfs: true })
    stop.abort()
    await followed
    await vi.waitFor(async () => expect(await containers()).toEqual([]), WAIT)
  }, 60_000)

  it('end when the process that follows them is killed', async () => {
    const program = `import { openEngine } from ${JSON.stringify(new URL('./engine.ts', import.meta.url).href)}
      import { commandsOn } from ${JSON.stringify(new URL('./host-commands.ts', import.meta.url).href)}
      const { follow } = commandsOn(openEngine(${JSON.stringify(connection)}), ${JSON.stringify(IMAGE)})
      await follow('nvidia-smi', [], { onOutput: (text) => console.log(text), signal: new AbortController().signal })`
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(child.stdout, 'data')
    expect(await containers()).toHaveLength(1)
    child.kill('SIGKILL')
    await vi.waitFor(async () => expect(await containers()).toEqual([]), WAIT)
  }, 60_000)

  it('leave nothing for good when their container was created and never started', async () => {
    await docker.createContainer({ Image: IMAGE, Cmd: ['sh'], Labels: { [PROBE_LABEL]: 'yes' } })
    await removeLeftProbes(docker)
    expect(await containers()).toHaveLength(1)
    await removeLeftProbes(docker, -10_000)
    expect(await containers()).toEqual([])
  })

  it('are unknown, not absent, while their image is not there', async () => {
    await using engine = openEngine(connection)
    await expect(commandsOn(engine, 'runyard/nowhere:latest').run('nvidia-smi', [])).rejects.toThrow('which is not there yet')
  })
})

it('an engine that has no way to hand out GPUs has none', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'runyard-tls-'))
  try {
    await using tls = await startTlsEngine(dir, '/var/run/docker.sock')
    await using engine = openEngine({ kind: 'tcp', host: '127.0.0.1', port: tls.port, tls: tls.tls })
    expect(await commandsOn(engine).run('nvidia-smi', ['-L'])).toBeUndefined()
  } finally {
    await rm(dir, { recursive: true })
  }
}, 60_000)
