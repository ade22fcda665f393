import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, cp, mkdtemp, readFile, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { getPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { appArchive, describeBuildConformance, describeHostConformance, workerLaunch, type HostFixture } from '@runyard/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { removeTree } from './builds.ts'
import { createProcessHost, type ProcessHostOptions } from './process-host.ts'

const SCRIPT = 'RUNYARD_TEST_SCRIPT'

interface Fixture extends HostFixture {
  readonly options: ProcessHostOptions
}

async function createFixture(): Promise<Fixture> {
  const scratchDir = await mkdtemp(join(tmpdir(), 'runyard-process-host-'))
  const agentCommand = ['sh', '-c', `eval "$${SCRIPT}"`]
  const options = { label: 'here', hostId: 'process:here', instanceId: 'one', scratchDir, agentCommand }
  const create = (instanceId: string) => createProcessHost({ ...options, instanceId })
  return {
    options,
    createDriver: () => create('one'),
    createStranger: () => create('two'),
    launch: (base, script) => ({ ...base, withAgent: true, env: { ...base.env, [SCRIPT]: script } }),
    kill: async (workerId) => {
      const { pid } = JSON.parse(await readFile(join(scratchDir, workerId, 'worker.json'), 'utf8')) as { pid: number }
      process.kill(pid, 'SIGKILL')
    },
    leftovers: async () => [...(await readdir(scratchDir)), ...(await processesIn(scratchDir))],
    async [Symbol.asyncDispose]() {
      for (const path of [scratchDir, `${scratchDir}-models`]) await rm(path, { recursive: true, force: true })
    },
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

/** Runs it on a copy whose owner is not root, and returns what it says. */
async function asOwner(tree: string, script: string): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'runyard-owner-'))
  const copy = join(home, 'app')
  await cp(tree, copy, { recursive: true, preserveTimestamps: true })
  const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
  if (nobody.uid !== undefined) spawnSync('chown', ['-R', `${nobody.uid}:${nobody.gid}`, home])
  const { stderr } = spawnSync('sh', ['-c', script, 'sh', copy], { ...nobody, encoding: 'utf8' })
  await removeTree(home)
  return stderr
}

describeHostConformance('the process host', createFixture, {
  capabilities: { runsImages: false, isolates: false, gpuChoice: 'uuid', remembersExits: false, cardsByVariable: true },
  gpus: true,
})

describeBuildConformance('the process host', createFixture)

describe('the process host', () => {
  let fixture: Fixture

  beforeEach(async () => {
    fixture = await createFixture()
  })

  afterEach(async () => {
    const driver = fixture.createDriver()
    for (const { workerId } of await driver.listWorkers()) await driver.removeWorker(workerId)
    await fixture[Symbol.asyncDispose]()
  })

  it('refuses an image that brings its own handler, as there is no image', async () => {
    await expect(fixture.createDriver().startWorker({ ...launch, withAgent: false })).rejects.toThrow('needs a Docker host')
    await expect(fixture.createDriver().startWorker({ ...launch, runtime: 'runsc' })).rejects.toThrow('The runtime runsc')
  })

  it('says that the agent cannot be started, and keeps nothing of the worker', async () => {
    const scratchDir = await mkdtemp(join(tmpdir(), 'runyard-process-host-'))
    const driver = createProcessHost({
      label: 'here',
      hostId: 'process:here',
      instanceId: 'one',
      scratchDir,
      agentCommand: [join(scratchDir, 'missing')],
    })
    await expect(driver.startWorker(launch)).rejects.toThrow('The agent cannot be started')
    expect(await readdir(scratchDir)).toEqual([])
    await rm(scratchDir, { recursive: true })
  })

  it('gives workers the machine’s package settings but none of the scaler’s secrets', async () => {
    process.env.RUNYARD_REDIS_URL = 'redis://secret'
    process.env.PIP_TIMEOUT = '7'
    const driver = fixture.createDriver()
    await driver.startWorker(fixture.launch(launch, 'echo "$RUNYARD_REDIS_URL|$PIP_TIMEOUT|$RUNYARD_SCRATCH_DIR|$PWD"'))
    delete process.env.RUNYARD_REDIS_URL
    delete process.env.PIP_TIMEOUT
    const lines: string[] = []
    await driver.followLogs(launch.workerId, { sinceMs: 0, onLine: ({ line }) => lines.push(line), signal: new AbortController().signal })
    expect(lines).toEqual([expect.stringMatching(/^\|7\|(.+)\/loner001\|\1\/loner001$/)])
  })

  it('starts an app with the interpreter of its Python; one that the operator named counts with the version that it has', async () => {
    const { stdout } = spawnSync('python3', ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])'], { encoding: 'utf8' })
    const here = stdout.trim()
    const named = join(fixture.options.scratchDir, '..', `named-${here}-${process.pid}`)
    await writeFile(named, '#!/bin/sh\nexec python3 "$@"\n', { mode: 0o755 })
    const driver = createProcessHost({ ...fixture.options, pythons: { [here]: named, '3.99': named } })
    const ofPython = (pythonVersion: string) => fixture.launch({ ...launch, build: { id: 'b1', pythonVersion } }, 'echo "$RUNYARD_PYTHON"')
    const sentence = 'The app was built for Python 3.99, and this machine has no python3.99: install it, or name it in the setting pythons.'
    await expect(driver.startWorker(ofPython('3.99'))).rejects.toThrow(sentence)
    await driver.startWorker(ofPython(here))
    const lines: string[] = []
    await driver.followLogs(launch.workerId, { sinceMs: 0, onLine: ({ line }) => lines.push(line), signal: new AbortController().signal })
    expect(lines).toEqual([named])
    const { pythons } = await driver.inventory()
    expect([pythons?.includes(here), pythons?.includes('3.99')]).toEqual([true, false])
    await rm(named)
  })

  it('has read-only files of an app, finds a changed copy of root’s, and unpacks it again beside the worker that runs in the old one', async () => {
    const driver = fixture.createDriver()
    const archive = appArchive({ 'app.py': 'VALUE = 41\n', 'pkg/data.txt': 'data' })
    const lines: string[] = []
    let open = async () => Readable.from([archive])
    const place = () => driver.placeBuild?.({ id: 'b1', sizeBytes: 10, open, onProgress: (line) => lines.push(line) })
    await place()
    await driver.startWorker(
      fixture.launch({ ...launch, build: { id: 'b1', pythonVersion: null } }, 'cd "$RUNPOD_PREBUILT_APP_DIR"; sleep 1000'),
    )
    const tree = join(fixture.options.scratchDir, 'builds', 'b1')
    const change = 'printf "VALUE = 666\\n" > "$1/app.py"; touch "$1/pkg/new.py"'
    expect(await asOwner(tree, change)).toMatch(/app.py: Permission denied[^]*Permission denied/)
    await place()
    expect(lines).toHaveLength(1)

    // Root may change what is read-only, and the same size and time hide nothing.
    const before = await stat(join(tree, 'app.py'))
    await chmod(join(tree, 'app.py'), 0o644)
    await writeFile(join(tree, 'app.py'), 'VALUE = 66\n')
    await chmod(join(tree, 'app.py'), 0o444)
    await utimes(join(tree, 'app.py'), before.atime, before.mtime)
    await place()
    expect([await readFile(join(tree, 'app.py'), 'utf8'), lines.at(-1)]).toEqual([
      'VALUE = 41\n',
      expect.stringContaining('again: its files'),
    ])
    expect(await driver.builds?.()).toEqual(['b1'])
    expect(await driver.listWorkers()).toMatchObject([{ state: 'running' }])
    await place()
    expect(lines).toHaveLength(2)

    // As an older release unpacked it, and another process replaces it at the same time.
    await chmod(tree, 0o755)
    await rm(join(tree, '.runyard-seal'))
    open = async () => {
      await rename(tree, join(fixture.options.scratchDir, 'builds', '.part-other'))
      return Readable.from([archive])
    }
    await place()
    expect([await readFile(join(tree, 'app.py'), 'utf8'), lines.at(-1)]).toEqual([
      'VALUE = 41\n',
      expect.stringContaining('again: it has no seal'),
    ])
  })

  it.runIf(process.platform === 'linux')('lets the kernel end a worker before Redis where memory runs out', async () => {
    const driver = fixture.createDriver()
    await driver.startWorker(fixture.launch(launch, 'while :; do sleep 0.05; done'))
    const [file = ''] = await readdir(fixture.options.scratchDir)
    const { pid } = JSON.parse(await readFile(join(fixture.options.scratchDir, file, 'worker.json'), 'utf8')) as { pid: number }
    expect(await readFile(`/proc/${pid}/oom_score_adj`, 'utf8')).toBe('500\n')
  })

  it.runIf(existsSync('/proc/self/autogroup'))('lets the control plane have the processors first where they are short', async () => {
    const driver = fixture.createDriver()
    await driver.startWorker(fixture.launch(launch, 'while :; do sleep 0.05; done'))
    const { pid } = JSON.parse(await readFile(join(fixture.options.scratchDir, 'loner001', 'worker.json'), 'utf8')) as { pid: number }
    expect([getPriority(pid), await readFile(`/proc/${pid}/autogroup`, 'utf8')]).toEqual([5, expect.stringMatching(/ nice 5\n$/)])
  })

  it('adopts what an earlier scaler started: sees it live, reports its death, and does not guess its exit code', async () => {
    const heir = fixture.createDriver()
    const theirs = fixture.launch(launch, 'while :; do sleep 0.05; done')
    // Another process, which ends at once and leaves its worker behind.
    const source = `import { createProcessHost } from ${JSON.stringify(new URL('process-host.ts', import.meta.url).href)}
      await createProcessHost(${JSON.stringify(fixture.options)}).startWorker(${JSON.stringify(theirs)})`
    const earlier = spawnSync(process.execPath, ['--input-type=module', '-e', source], { encoding: 'utf8' })
    expect(earlier.stderr).toBe('')
    expect(await heir.listWorkers()).toMatchObject([{ workerId: launch.workerId, state: 'running' }])
    const died = Promise.withResolvers<string>()
    const watch = heir.watch((event) => event.kind === 'died' && died.resolve(event.workerId))
    await fixture.kill(launch.workerId)
    expect(await died.promise).toBe(launch.workerId)
    expect(await heir.listWorkers()).toMatchObject([{ state: 'exited', exit: { exitCode: null, oomKilled: false } }])
    await watch[Symbol.asyncDispose]()
  })
})

const launch = workerLaunch({ workerId: 'loner001', endpointId: 'alone', image: 'any', withAgent: true })
