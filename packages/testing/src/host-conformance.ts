// The conformance suite of the host port: what the scaler may rely on, whatever the kind of host.
import { randomBytes } from 'node:crypto'
import { RunyardError, type HostEvent, type WorkerLaunch } from '@runyard/schema'
import { describe, expect, it, vi } from 'vitest'
import type { HostAbilities, HostFixture } from './host-fixture.ts'
import { describeHostLogs } from './host-log-conformance.ts'
import { baseLaunch, eventually, FOREVER, listed, useHost } from './host-world.ts'

const CARDS = ['GPU-2b1f6b9e-0c53-4f0e-9d43-5a7d8c1e4f10', 'GPU-7d9c2e31-84ab-4b7c-a1f2-3c6e9b0d5a28']

/** Runs the suite. `factory` is called once per test; the fixture is disposed after the test and must leave nothing behind. */
export function describeHostConformance(name: string, factory: () => Promise<HostFixture>, can: HostAbilities): void {
  describeHostLogs(name, factory)
  describe(`${name} keeps the contract of a host`, () => {
    const host = useHost(factory)
    const { find, start, ended, outputOf } = host

    it('reports its capabilities', () => {
      expect(host.driver.capabilities).toEqual(can.capabilities)
    })

    it('responds and prepares itself, and the second preparation finds everything done', async () => {
      const options = { onProgress: () => undefined, signal: new AbortController().signal }
      expect(await host.driver.probe()).toMatchObject({ kind: 'ok' })
      const first = await host.driver.prepare(options)
      expect(await host.fixture.createDriver().prepare(options)).toEqual(first)
      expect(new URL(await host.driver.planeUrl()).port).toBe('8081')
    })

    it('ends all workers of its installation at once, and leaves those of others', async () => {
      const stranger = host.fixture.createStranger()
      const id = await start(FOREVER)
      await outputOf(id, 'up')
      await stranger.removeAll()
      expect(await find(id)).toMatchObject({ state: 'running' })
      await host.driver.removeAll()
      await eventually(async () => (await find(id))?.state !== 'running' || undefined)
    })

    it('describes itself with CPUs and memory', async () => {
      const inventory = await host.driver.inventory()
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
      await host.driver.stopWorker(id, { graceMs: 10_000 })
      expect(await find(id)).toMatchObject({ state: 'exited', exit: { exitCode: 0, oomKilled: false } })
    })

    it('says which processes the workers have, with the children of each, and none of one that has ended', async () => {
      const script = 'trap "exit 0" TERM; sleep 1000 & echo up; while :; do sleep 0.05; done'
      const [one, two] = [await start(script), await start(script)]
      await Promise.all([outputOf(one, 'up'), outputOf(two, 'up')])
      const [first, second] = [await host.driver.processesOf?.([one]), await host.driver.processesOf?.([two])]
      expect(first?.length).toBeGreaterThanOrEqual(2)
      expect(second?.filter((pid) => first?.includes(pid))).toEqual([])
      await host.driver.stopWorker(one, { graceMs: 10_000 })
      // What the worker had started ends after it.
      await vi.waitFor(
        async () => {
          const left = await host.driver.processesOf?.([one, two])
          expect(left?.filter((pid) => first?.includes(pid))).toEqual([])
          expect(left?.length).toBeGreaterThanOrEqual(2)
        },
        { timeout: 30_000, interval: 50 },
      )
    })

    it('kills a worker that ignores SIGTERM after its grace period', async () => {
      const id = await start('trap "" TERM; echo deaf; while :; do sleep 0.05; done')
      await outputOf(id, 'deaf')
      await host.driver.stopWorker(id, { graceMs: 300 })
      expect(await find(id)).toMatchObject({ state: 'exited', exit: { exitCode: 137 } })
    })

    it('lets a worker that heeds SIGTERM end by itself within its grace period', async () => {
      const id = await start('trap "sleep 0.1; exit 3" TERM; echo heeds; while :; do sleep 0.05; done')
      await outputOf(id, 'heeds')
      await host.driver.stopWorker(id, { graceMs: 30_000 })
      expect(await find(id)).toMatchObject({ state: 'exited', exit: { exitCode: 3 } })
    })

    it('has no effect when a running worker is started again, even concurrently', async () => {
      const launch = host.fixture.launch(baseLaunch({}), FOREVER)
      await Promise.all([host.driver.startWorker(launch), host.driver.startWorker(launch)])
      const first = await find(launch.workerId)
      await host.driver.startWorker(launch)
      await host.fixture.createDriver().startWorker(launch)
      expect(await listed(host.driver)).toEqual([first])
    })

    it('rejects a start of an ended worker', async () => {
      const launch = host.fixture.launch(baseLaunch({}), 'exit 0')
      await host.driver.startWorker(launch)
      await ended(launch.workerId)
      await expect(host.driver.startWorker(launch)).rejects.toThrow(RunyardError)
    })

    it('reports the exit code of a worker that ended by itself, and when', async () => {
      const id = await start('echo bye; exit 3')
      const { exit } = await ended(id)
      expect(exit).toMatchObject({ exitCode: 3, oomKilled: false })
      expect(Math.abs((exit?.at ?? 0) - Date.now())).toBeLessThan(60_000)
    })

    it('reports start and death as events, and a kill -9 as exit code 137', async () => {
      const events: HostEvent[] = []
      const watch = host.driver.watch((event) => events.push(event))
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
        await host.fixture.kill(id)
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
        const lines = await host.driver.tailLogs(id, 10)
        await host.driver.removeWorker(id)
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
        await host.driver.removeVolume({ volumeId: `${volumeId}x`, directory: directory && `${directory}x` })
        expect(await host.driver.removeVolume({ volumeId, directory })).toBe(true)
        expect(await host.driver.removeVolume({ volumeId, directory })).toBe(true)
        expect(await saidBy(READ, mounted(volumeId, directory))).toContain('nothing')
        await host.driver.removeVolume({ volumeId, directory })
      })
    })

    it.each(can.capabilities.isolates ? [64 * 2 ** 20] : [])(
      'flags a worker that went over its memory limit of %d bytes',
      async (memoryBytes) => {
        const id = await start('exec python3 -c "x = bytearray(512 * 1024 * 1024); print(len(x))"', { memoryBytes })
        expect((await ended(id)).exit).toMatchObject({ exitCode: 137, oomKilled: true })
      },
    )

    it('treats unknown workers as gone', async () => {
      await host.driver.stopWorker('unknown0', { graceMs: 1000 })
      await host.driver.removeWorker('unknown0')
      expect(await host.driver.tailLogs('unknown0', 5)).toEqual([])
      const onLine = (): void => expect.fail('there is nothing to follow')
      await host.driver.followLogs('unknown0', { sinceMs: 0, onLine, signal: new AbortController().signal })
    })

    it('ignores the workers of another installation', async () => {
      const stranger = host.fixture.createStranger()
      const id = await start(FOREVER)
      expect(await stranger.listWorkers()).toEqual([])
      await stranger.stopWorker(id, { graceMs: 0 })
      await stranger.removeWorker(id)
      expect(await find(id)).toMatchObject({ state: 'running' })
    })

    it('leaves nothing of a removed worker', async () => {
      const id = await start('sleep 1000 & (setsid sleep 1000 &) ; echo up; wait')
      await outputOf(id, 'up')
      await host.driver.stopWorker(id, { graceMs: 200 })
      await host.driver.removeWorker(id)
      expect(await host.driver.listWorkers()).toEqual([])
      await host.isClean()
    })

    it('gives a new driver access to running workers, dead ones, logs and stops', async () => {
      const living = await start(FOREVER)
      const dying = await start('exit 4')
      await ended(dying)
      const fresh = host.fixture.createDriver()
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
      expect((await host.driver.tailLogs(id, 10)).map(({ line }) => line).join('\n')).toBe(`${odd}|w1`)
    })

    it('shows no GPU to a worker without real GPUs, whatever its own variables say', async () => {
      const gpus = [{ uuid: 'GPU-simulated-0', name: 'NVIDIA L4', simulated: true }]
      const id = await start('echo "visible=$NVIDIA_VISIBLE_DEVICES"', { gpus, env: { NVIDIA_VISIBLE_DEVICES: 'all' } })
      await ended(id)
      expect((await host.driver.tailLogs(id, 1)).map(({ line }) => line)).toEqual(['visible=void'])
      expect((await find(id))?.gpuUuids).toEqual(['GPU-simulated-0'])
    })

    it.each(can.gpus ? [[CARDS]] : [])('attaches the GPUs %j by UUID, and only those', async (uuids) => {
      const gpus = uuids.map((uuid) => ({ uuid, name: 'NVIDIA L4', simulated: false }))
      const id = await start('echo "$NVIDIA_VISIBLE_DEVICES"', { gpus })
      await ended(id)
      expect((await host.driver.tailLogs(id, 1)).map(({ line }) => line)).toEqual([uuids.join(',')])
      expect((await find(id))?.gpuUuids).toEqual(uuids)
    })
  })
}
