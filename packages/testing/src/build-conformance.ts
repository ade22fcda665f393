// The part of the host port's contract that concerns deployed apps (ADR 65): builds are unpacked once, read-only, shared by workers, and removed.
import { randomBytes } from 'node:crypto'
import type { BuildPlacement, HostDriver, LaunchedModel, ModelPlacement } from '@runyard/schema'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { appArchive } from './app-archive.ts'
import type { HostFixture } from './host-fixture.ts'
import { workerLaunch } from './worker-launch.ts'

const WITHIN = { timeout: 600_000, interval: 20 }

/** `factory` is called once per test; the fixture is disposed after the test and must leave nothing behind. */
export function describeBuildConformance(name: string, factory: () => Promise<HostFixture>): void {
  describe(`${name} keeps the contract of a host for deployed apps`, () => {
    let fixture: HostFixture
    let driver: HostDriver

    beforeEach(async () => {
      fixture = await factory()
      driver = fixture.createDriver()
    })

    afterEach(async () => {
      await driver.removeAll()
      for (const worker of await driver.listWorkers()) await driver.removeWorker(worker.workerId)
      const left = [...(await fixture.leftovers()), ...((await driver.builds?.()) ?? [])]
      await driver[Symbol.asyncDispose]()
      await fixture[Symbol.asyncDispose]()
      expect(left).toEqual([])
    })

    const ARCHIVE = appArchive({ 'app.py': 'VALUE = 41\n', 'pkg/deep/data.txt': 'data', 'run.sh': { text: 'echo ran', mode: 0o755 } })

    function buildOf(archive: Buffer, id = `b${randomBytes(6).toString('hex')}`) {
      const opened: string[] = []
      const lines: string[] = []
      const placement: BuildPlacement = {
        id,
        sizeBytes: archive.length,
        async open() {
          opened.push(id)
          return (async function* () {
            for (let at = 0; at < archive.length; at += 100) yield archive.subarray(at, at + 100)
          })()
        },
        onProgress: (line) => lines.push(line),
      }
      return { id, placement, opened, lines }
    }

    async function outputOf(script: string, uses: string | readonly LaunchedModel[]): Promise<readonly string[]> {
      const workerId = `t${randomBytes(8).toString('hex')}`
      const what = typeof uses === 'string' ? { build: { id: uses, pythonVersion: null } } : { models: uses }
      const base = workerLaunch({ workerId, endpointId: 'conformance', pidsLimit: 128, ...what })
      await driver.startWorker(fixture.launch(base, script))
      await vi.waitUntil(
        async () => (await driver.listWorkers()).some((worker) => worker.workerId === workerId && worker.state === 'exited'),
        WITHIN,
      )
      return (await driver.tailLogs(workerId, 100)).map(({ line }) => line)
    }

    it('gives a worker the files of its build, in the directory that RUNPOD_PREBUILT_APP_DIR names', async () => {
      const { id, placement, lines } = buildOf(ARCHIVE)
      await driver.placeBuild?.(placement)
      const script = 'cd "$RUNPOD_PREBUILT_APP_DIR" && cat app.py pkg/deep/data.txt && echo && ./run.sh'
      expect(await outputOf(script, id)).toEqual(['VALUE = 41', 'data', 'ran'])
      expect(lines).toEqual([expect.stringMatching(/^unpacking the app/)])
      expect(await driver.builds?.()).toEqual([id])
    })

    it('unpacks a build once, however many ask for it, and whichever driver', async () => {
      const { id, placement, opened } = buildOf(ARCHIVE)
      await Promise.all([driver.placeBuild?.(placement), driver.placeBuild?.(placement)])
      await using other = fixture.createDriver()
      await other.placeBuild?.(placement)
      expect(opened).toEqual([id])
    })

    it('has a whole build after two drivers unpacked it at the same time', async () => {
      const { id, placement } = buildOf(ARCHIVE)
      await using other = fixture.createDriver()
      await Promise.all([driver.placeBuild?.(placement), other.placeBuild?.(placement)])
      expect(await outputOf('cat "$RUNPOD_PREBUILT_APP_DIR/pkg/deep/data.txt"', id)).toEqual(['data'])
    })

    it('has nothing of a build whose archive breaks off, and unpacks it at the next try', async () => {
      const broken = buildOf(ARCHIVE)
      async function* breakOff(): AsyncGenerator<Uint8Array> {
        yield ARCHIVE.subarray(0, 50)
        throw new TypeError('the store is away')
      }
      await expect(driver.placeBuild?.({ ...broken.placement, open: async () => breakOff() })).rejects.toThrow(/the store is away/)
      await driver.placeBuild?.(broken.placement)
      expect(await outputOf('cat "$RUNPOD_PREBUILT_APP_DIR/app.py"', broken.id)).toEqual(['VALUE = 41'])
    })

    it('rejects an archive with links, or with paths that lead out of it', async () => {
      const link = buildOf(appArchive({ out: { linkTo: '/etc' } }))
      await expect(driver.placeBuild?.(link.placement)).rejects.toThrow(/neither a file nor a directory/)
      const above = buildOf(appArchive({ '../out.py': 'x' }))
      await expect(driver.placeBuild?.(above.placement)).rejects.toThrow(/does not lie below its root/)
    })

    it('keeps a build while a worker runs it, and removes it afterwards', async () => {
      const { id, placement } = buildOf(ARCHIVE)
      await driver.placeBuild?.(placement)
      const workerId = `t${randomBytes(8).toString('hex')}`
      const base = workerLaunch({ workerId, endpointId: 'conformance', pidsLimit: 128, build: { id, pythonVersion: null } })
      await driver.startWorker(fixture.launch(base, 'echo up; sleep 1000'))
      expect(await driver.removeBuild?.(id)).toBe(false)
      await driver.stopWorker(workerId, { graceMs: 0 })
      await driver.removeWorker(workerId)
      expect([await driver.removeBuild?.(id), await driver.removeBuild?.(id)]).toEqual([true, true])
      expect(await driver.builds?.()).toEqual([])
    })

    /** A model of two files, the second of which fails as often as `failures` says. */
    function modelOf(id: string, { failures = 0 } = {}) {
      const opened: string[] = []
      let left = failures
      const file = (blob: string, text: string) => ({
        path: `blobs/${blob}`,
        sizeBytes: text.length,
        async *open() {
          opened.push(blob)
          yield Buffer.from(text.slice(0, 2))
          if (blob === 'b' && left-- > 0) throw new TypeError('the hub is away')
          yield Buffer.from(text.slice(2))
        },
      })
      const placement: ModelPlacement = {
        id,
        sizeBytes: 10,
        open: async () => ({
          files: [file('a', 'first'), file('b', 'other')],
          links: [
            { path: 'snapshots/c1/deep/x.txt', target: '../../../blobs/b' },
            { path: 'c1', target: 'snapshots/c1' },
          ],
          texts: [{ path: 'refs/main', text: 'c1' }],
        }),
      }
      return { placement, opened }
    }

    it('gives workers a model in the cache that HF_HUB_CACHE names, which others may add to, and removes it when no worker uses it', async () => {
      const id = randomBytes(6).toString('hex')
      const { placement, opened } = modelOf(id, { failures: 1 })
      await expect(driver.placeModel?.(placement)).rejects.toThrow(/the hub is away/)
      await using other = fixture.createDriver()
      await Promise.all([driver.placeModel?.(placement), driver.placeModel?.(placement)])
      await other.placeModel?.(placement)
      // The first file was whole; all else was fetched once.
      expect(opened).toEqual(['a', 'b', 'b'])
      expect(await driver.models?.()).toEqual([{ id, bytes: 10, placedAt: expect.any(Number) }])
      const script =
        'cd "$HF_HUB_CACHE" && mkdir models--x--y && ls && cd models--o--n && cat refs/main && echo && cat snapshots/$MODEL_REVISION/deep/x.txt && echo && echo $HF_HUB_OFFLINE'
      expect(await outputOf(script, [{ id, repo: 'o/n', commit: 'c1' }])).toEqual(['models--o--n', 'models--x--y', 'c1', 'other', '1'])
      for (const worker of await driver.listWorkers()) await driver.removeWorker(worker.workerId)
      expect([await driver.removeModel?.(id), await driver.removeModel?.(id)]).toEqual([true, true])
      expect(await driver.models?.()).toEqual([])
    })
  })
}
