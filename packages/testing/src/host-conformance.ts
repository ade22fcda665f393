// The conformance suite of the host port: what the scaler may rely on, whatever the kind of host.
// Workers are small shell scripts; the fixture's `launch` makes its host run one.
import { randomBytes } from 'node:crypto'
import { RunyardError } from '@runyard/schema'
import type { HostDriver, HostEvent, LogLine, ObservedWorker, WorkerLaunch } from '@runyard/schema'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { HostAbilities, HostFixture } from './host-fixture.ts'
import { workerLaunch } from './worker-launch.ts'

const FOREVER = 'trap "exit 0" TERM; echo up; while :; do sleep 0.05; done'
const CARDS = ['GPU-2b1f6b9e-0c53-4f0e-9d43-5a7d8c1e4f10', 'GPU-7d9c2e31-84ab-4b7c-a1f2-3c6e9b0d5a28']

/** Runs the suite. `factory` is called once per test; the fixture is disposed after the test and must leave nothing behind. */
export function describeHostConformance(name: string, factory: () => Promise<HostFixture>, can: HostAbilities): void {
  describe(`${name} keeps the contract of a host`, () => {
    let fixture: HostFixture
    let driver: HostDriver

    beforeEach(async () => {
      fixture = await factory()
      driver = fixture.createDriver()
    })

    afterEach(async () => {
      for (const worker of await driver.listWorkers()) await driver.removeWorker(worker.workerId)
      try {
        // The system takes away what was killed a moment later.
        await vi.waitFor(async () => expect(await fixture.leftovers()).toEqual([]), { timeout: 10_000, interval: 50 })
      } finally {
        await driver[Symbol.asyncDispose]()
        await fixture[Symbol.asyncDispose]()
      }
    })

    const find = async (id: string, of = driver): Promise<ObservedWorker | undefined> =>
      (await listed(of)).find((worker) => worker.workerId === id)

    async function start(script: string, overrides: Partial<WorkerLaunch> = {}): Promise<string> {
      const launch = fixture.launch(baseLaunch(overrides), script)
      await driver.startWorker(launch)
      return launch.workerId
    }

    const ended = (id: string, of = driver): Promise<ObservedWorker> =>
      eventually(async () => {
        const worker = await find(id, of)
        return worker?.state === 'exited' ? worker : undefined
      })

    const outputOf = (id: string, text: string): Promise<readonly LogLine[]> =>
      eventually(async () => {
        const lines = await driver.tailLogs(id, 100)
        return lines.some(({ line }) => line.includes(text)) ? lines : undefined
      })

    it('reports its capabilities', () => {
      expect(driver.capabilities).toEqual(can.capabilities)
    })

    it('responds and prepares itself, and the second preparation finds everything done', async () => {
      const options = { onProgress: () => undefined, signal: new AbortController().signal }
      expect(await driver.probe()).toMatchObject({ kind: 'ok' })
      const first = await driver.prepare(options)
      expect(await fixture.createDriver().prepare(options)).toEqual(first)
      expect(new URL(await driver.planeUrl()).port).toBe('8081')
    })

    it('ends all workers of its installation at once, and leaves those of others', async () => {
      const stranger = fixture.createStranger()
      const id = await start(FOREVER)
      await outputOf(id, 'up')
      await stranger.removeAll()
      expect(await find(id)).toMatchObject({ state: 'running' })
      await driver.removeAll()
      await eventually(async () => (await find(id))?.state !== 'running' || undefined)
    })

    it('describes itself with CPUs and memory', async () => {
      const inventory = await driver.inventory()
      expect(inventory.cpuCount).toBeGreaterThan(0)
      expect(inventory.memoryBytes).toBeGreaterThan(64 * 2 ** 20)
    })

    it('starts a worker, lists it as running with its launch data, and reports it gone after a stop', async () => {
      const before = Date.now()
      const id = await start(FOREVER, { endpointId: 'ep-one', specHash: 'abc123' })
      const running = await find(id)
      expect(running).toMatchObject({ workerId: id, endpointId: 'ep-one', specHash: 'abc123', state: 'running', gpuUuids: [] })
      expect(running?.exit).toBeUndefined()
      expect(Math.abs((running?.startedAt ?? 0) - before)).toBeLessThan(60_000)
      await outputOf(id, 'up')
      await driver.stopWorker(id, { graceMs: 10_000 })
      expect(await find(id)).toMatchObject({ state: 'exited', exit: { exitCode: 0, oomKilled: false } })
    })

    it('says which processes the workers have, with the children of each, and none of one that has ended', async () => {
      const script = 'trap "exit 0" TERM; sleep 1000 & echo up; while :; do sleep 0.05; done'
      const [one, two] = [await start(script), await start(script)]
      await Promise.all([outputOf(one, 'up'), outputOf(two, 'up')])
      const [first, second] = [await driver.processesOf?.([one]), await driver.processesOf?.([two])]
      expect(first?.length).toBeGreaterThanOrEqual(2)
      expect(second?.filter((pid) => first?.includes(pid))).toEqual([])
      await driver.stopWorker(one, { graceMs: 10_000 })
      // What the worker had started ends after it.
      await vi.waitFor(
        async () => {
          const left = await driver.processesOf?.([one, two])
          expect(left?.filter((pid) => first?.includes(pid))).toEqual([])
          expect(left?.length).toBeGreaterThanOrEqual(2)
        },
        { timeout: 30_000, interval: 50 },
      )
    })

    it('kills a worker that ignores SIGTERM after its grace period', async () => {
      const id = await start('trap "" TERM; echo deaf; while :; do sleep 0.05; done')
      await outputOf(id, 'deaf')
      await driver.stopWorker(id, { graceMs: 300 })
      expect(await find(id)).toMatchObject({ state: 'exited', exit: { exitCode: 137 } })
    })

    it('lets a worker that heeds SIGTERM end by itself within its grace period', async () => {
      const id = await start('trap "sleep 0.1; exit 3" TERM; echo heeds; while :; do sleep 0.05; done')
      await outputOf(id, 'heeds')
      await driver.stopWorker(id, { graceMs: 30_000 })
      expect(await find(id)).toMatchObject({ state: 'exited', exit: { exitCode: 3 } })
    })

    it('has no effect when a running worker is started again, even concurrently', async () => {
      const launch = fixture.launch(baseLaunch({}), FOREVER)
      await Promise.all([driver.startWorker(launch), driver.startWorker(launch)])
      const first = await find(launch.workerId)
      await driver.startWorker(launch)
      await fixture.createDriver().startWorker(launch)
      expect(await listed(driver)).toEqual([first])
    })

    it('rejects a start of an ended worker', async () => {
      const launch = fixture.launch(baseLaunch({}), 'exit 0')
      await driver.startWorker(launch)
      await ended(launch.workerId)
      await expect(driver.startWorker(launch)).rejects.toThrow(RunyardError)
    })

    it('reports the exit code of a worker that ended by itself, and when', async () => {
      const id = await start('echo bye; exit 3')
      const { exit } = await ended(id)
      expect(exit).toMatchObject({ exitCode: 3, oomKilled: false })
      expect(Math.abs((exit?.at ?? 0) - Date.now())).toBeLessThan(60_000)
    })

    it('reports start and death as events, and a kill -9 as exit code 137', async () => {
      const events: HostEvent[] = []
      const watch = driver.watch((event) => events.push(event))
      try {
        // A watch that connects lazily reports only events after it has connected.
        const probe = await eventually(async () => {
          const id = await start('exit 0')
          await ended(id)
          return events.some((event) => event.workerId === id) ? id : undefined
        })
        expect(probe).toBeDefined()
        const id = await start(FOREVER)
        await outputOf(id, 'up')
        await fixture.kill(id)
        await eventually(async () => (events.some((event) => event.workerId === id && event.kind === 'died') ? true : undefined))
        expect(events.filter((event) => event.workerId === id).map(({ kind }) => kind)).toEqual(['started', 'died'])
        // Docker's list lags behind its events.
        expect(await ended(id)).toMatchObject({ exit: { exitCode: 137, oomKilled: false } })
      } finally {
        await watch[Symbol.asyncDispose]()
      }
    })

    describe('a volume', () => {
      const volumeId = `t${randomBytes(6).toString('hex')}`
      const mounted = (id = volumeId, directory?: string) => ({
        mounts: [{ volumeId: id, path: '/runpod-volume', readOnly: false, directory }],
        env: { RUNPOD_VOLUME_PATH: '/runpod-volume' },
      })
      const saidBy = async (script: string, overrides: Partial<WorkerLaunch>): Promise<readonly string[]> => {
        const id = await start(script, overrides)
        await ended(id)
        const lines = await driver.tailLogs(id, 10)
        await driver.removeWorker(id)
        return lines.map(({ line }) => line)
      }
      const WRITE = 'echo kept > "$RUNPOD_VOLUME_PATH/file" && echo "$RUNPOD_VOLUME_PATH"'
      const READ = 'cat "$RUNPOD_VOLUME_PATH/file" || echo nothing'

      it.each([
        ['in the host’s own place', undefined],
        ['in a directory that the operator names', `/tmp/runyard-conformance/${volumeId}`],
      ])('keeps its data for later workers, until it is removed, %s', async (_where, directory) => {
        const [path] = await saidBy(WRITE, mounted(volumeId, directory))
        expect(path === '/runpod-volume').toBe(can.capabilities.mountsVolumes === true)
        expect(await saidBy(READ, mounted(volumeId, directory))).toContain('kept')
        expect(await saidBy(READ, mounted(`${volumeId}x`, directory && `${directory}x`))).toContain('nothing')
        await driver.removeVolume({ volumeId: `${volumeId}x`, directory: directory && `${directory}x` })
        expect(await driver.removeVolume({ volumeId, directory })).toBe(true)
        expect(await driver.removeVolume({ volumeId, directory })).toBe(true)
        expect(await saidBy(READ, mounted(volumeId, directory))).toContain('nothing')
        await driver.removeVolume({ volumeId, directory })
      })
    })

    it.each(can.capabilities.isolates ? [64 * 2 ** 20] : [])(
      'flags a worker that went over its memory limit of %d bytes',
      async (memoryBytes) => {
        const id = await start('exec python3 -c "x = bytearray(512 * 1024 * 1024); print(len(x))"', { memoryBytes })
        expect((await ended(id)).exit).toMatchObject({ exitCode: 137, oomKilled: true })
      },
    )

    it('returns the last lines of a worker with their source, even after its death', async () => {
      const id = await start('for i in 1 2 3 4 5; do echo "line $i"; done; echo "on stderr" >&2; printf unfinished')
      await ended(id)
      const lines = await driver.tailLogs(id, 100)
      const from = (source: string): string[] => lines.filter((line) => line.source === source).map(({ line }) => line)
      expect(from('stdout')).toEqual(['line 1', 'line 2', 'line 3', 'line 4', 'line 5', 'unfinished'])
      expect(from('stderr')).toEqual(['on stderr'])
      expect(await driver.tailLogs(id, 2)).toHaveLength(2)
      expect(lines.every(({ at }) => Math.abs(at - Date.now()) < 60_000)).toBe(true)
    })

    it('keeps a line of up to 16 KiB with multi-byte characters in one piece, and cuts a longer one', async () => {
      const id = await start(`python3 -c "print('é' * 8000 + '!'); print('x' * 60000)"`, { env: { PYTHONIOENCODING: 'utf-8' } })
      await ended(id)
      const whole = `${'é'.repeat(8000)}!`
      expect((await driver.tailLogs(id, 10)).map(({ line }) => line)).toEqual([whole, 'x'.repeat(16_384), '… 43616 bytes more'])
    })

    it('follows the output of a worker until it ends', async () => {
      const lines: string[] = []
      const id = await start('echo one; sleep 0.2; echo two; sleep 0.2; echo three')
      const onLine = ({ line }: LogLine): number => lines.push(line)
      await driver.followLogs(id, { sinceMs: 0, onLine, signal: new AbortController().signal })
      expect(lines).toEqual(['one', 'two', 'three'])
    })

    it('follows from a point in time on', async () => {
      const lines: string[] = []
      const id = await start('echo old; sleep 0.5; echo new')
      const [old] = await outputOf(id, 'old')
      const onLine = ({ line }: LogLine): number => lines.push(line)
      await driver.followLogs(id, { sinceMs: (old?.at ?? 0) + 1, onLine, signal: new AbortController().signal })
      expect(lines).toEqual(['new'])
    })

    it('follows until it is aborted', async () => {
      const stop = new AbortController()
      const lines: string[] = []
      const id = await start(FOREVER)
      const onLine = ({ line }: LogLine): void => {
        lines.push(line)
        stop.abort()
      }
      await driver.followLogs(id, { sinceMs: 0, onLine, signal: stop.signal })
      expect(lines).toEqual(['up'])
      expect(await find(id)).toMatchObject({ state: 'running' })
    })

    it('treats unknown workers as gone', async () => {
      await driver.stopWorker('unknown0', { graceMs: 1000 })
      await driver.removeWorker('unknown0')
      expect(await driver.tailLogs('unknown0', 5)).toEqual([])
      const onLine = (): void => expect.fail('there is nothing to follow')
      await driver.followLogs('unknown0', { sinceMs: 0, onLine, signal: new AbortController().signal })
    })

    it('ignores the workers of another installation', async () => {
      const stranger = fixture.createStranger()
      const id = await start(FOREVER)
      expect(await stranger.listWorkers()).toEqual([])
      await stranger.stopWorker(id, { graceMs: 0 })
      await stranger.removeWorker(id)
      expect(await find(id)).toMatchObject({ state: 'running' })
    })

    it('leaves nothing of a removed worker', async () => {
      const id = await start('sleep 1000 & (setsid sleep 1000 &) ; echo up; wait')
      await outputOf(id, 'up')
      await driver.stopWorker(id, { graceMs: 200 })
      await driver.removeWorker(id)
      expect(await driver.listWorkers()).toEqual([])
      expect(await fixture.leftovers()).toEqual([])
    })

    it('gives a new driver access to running workers, dead ones, logs and stops', async () => {
      const living = await start(FOREVER)
      const dying = await start('exit 4')
      await ended(dying)
      const fresh = fixture.createDriver()
      expect(await find(living, fresh)).toEqual(await find(living))
      expect(await find(dying, fresh)).toEqual(await find(dying))
      await eventually(async () => ((await fresh.tailLogs(living, 5)).length > 0 ? true : undefined))
      await fresh.stopWorker(living, { graceMs: 10_000 })
      const exit = can.capabilities.remembersExits ? { exit: { exitCode: 0 } } : {}
      expect(await find(living, fresh)).toMatchObject({ state: 'exited', ...exit })
    })

    it('gives a worker its environment, including special characters', async () => {
      const odd = 'a "quoted" $HOME\nsecond line = ü'
      const id = await start('printf "%s|%s" "$ODD" "$RUNPOD_POD_ID"', { env: { ODD: odd, RUNPOD_POD_ID: 'w1' } })
      await ended(id)
      expect((await driver.tailLogs(id, 10)).map(({ line }) => line).join('\n')).toBe(`${odd}|w1`)
    })

    it('shows no GPU to a worker without real GPUs, whatever its own variables say', async () => {
      const gpus = [{ uuid: 'GPU-simulated-0', name: 'NVIDIA L4', simulated: true }]
      const id = await start('echo "visible=$NVIDIA_VISIBLE_DEVICES"', { gpus, env: { NVIDIA_VISIBLE_DEVICES: 'all' } })
      await ended(id)
      expect((await driver.tailLogs(id, 1)).map(({ line }) => line)).toEqual(['visible=void'])
      expect((await find(id))?.gpuUuids).toEqual(['GPU-simulated-0'])
    })

    it.each(can.gpus ? [[CARDS]] : [])('attaches the GPUs %j by UUID, and only those', async (uuids) => {
      const gpus = uuids.map((uuid) => ({ uuid, name: 'NVIDIA L4', simulated: false }))
      const id = await start('echo "$NVIDIA_VISIBLE_DEVICES"', { gpus })
      await ended(id)
      expect((await driver.tailLogs(id, 1)).map(({ line }) => line)).toEqual([uuids.join(',')])
      expect((await find(id))?.gpuUuids).toEqual(uuids)
    })
  })
}

/** Without the disk usage, which a driver measures only from time to time. */
const listed = async (driver: HostDriver): Promise<readonly ObservedWorker[]> =>
  (await driver.listWorkers()).map((worker) => ({ ...worker, diskBytes: 0 }))

const baseLaunch = (overrides: Partial<WorkerLaunch>): WorkerLaunch =>
  workerLaunch({ workerId: `t${randomBytes(8).toString('hex')}`, endpointId: 'conformance', pidsLimit: 128, ...overrides })

/** What `look` finds at last; the test's own timeout limits it. */
const eventually = <T>(look: () => Promise<T | undefined>) => vi.waitUntil(look, { timeout: 600_000, interval: 20 })
