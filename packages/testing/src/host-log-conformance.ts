// What the scaler may rely on in the output of a host's workers, whatever the kind of host.
import type { LogLine } from '@runyard/schema'
import { describe, expect, it } from 'vitest'
import type { HostFixture } from './host-fixture.ts'
import { FOREVER, useHost } from './host-world.ts'

export function describeHostLogs(name: string, factory: () => Promise<HostFixture>): void {
  describe(`${name} keeps the contract of a host’s logs`, () => {
    const host = useHost(factory)
    const { find, start, ended, outputOf } = host

    it('returns the last lines of a worker with their source, even after its death', async () => {
      const id = await start('for i in 1 2 3 4 5; do echo "line $i"; done; echo "on stderr" >&2; printf unfinished')
      await ended(id)
      const lines = await host.driver.tailLogs(id, 100)
      const from = (source: string): string[] => lines.filter((line) => line.source === source).map(({ line }) => line)
      expect(from('stdout')).toEqual(['line 1', 'line 2', 'line 3', 'line 4', 'line 5', 'unfinished'])
      expect(from('stderr')).toEqual(['on stderr'])
      expect(await host.driver.tailLogs(id, 2)).toHaveLength(2)
      expect(lines.every(({ at }) => Math.abs(at - Date.now()) < 60_000)).toBe(true)
    })

    it('keeps a line of up to 16 KiB with multi-byte characters in one piece, and cuts a longer one', async () => {
      const id = await start(`python3 -c "print('é' * 8000 + '!'); print('x' * 60000)"`, { env: { PYTHONIOENCODING: 'utf-8' } })
      await ended(id)
      const whole = `${'é'.repeat(8000)}!`
      expect((await host.driver.tailLogs(id, 10)).map(({ line }) => line)).toEqual([whole, 'x'.repeat(16_384), '… 43616 bytes more'])
    })

    it('follows the output of a worker until it ends', async () => {
      const lines: string[] = []
      const id = await start('echo one; sleep 0.2; echo two; sleep 0.2; echo three')
      const onLine = ({ line }: LogLine): number => lines.push(line)
      await host.driver.followLogs(id, { sinceMs: 0, onLine, signal: new AbortController().signal })
      expect(lines).toEqual(['one', 'two', 'three'])
    })

    it('follows from a point in time on', async () => {
      const lines: string[] = []
      const id = await start('echo old; sleep 0.5; echo new')
      const [old] = await outputOf(id, 'old')
      const onLine = ({ line }: LogLine): number => lines.push(line)
      await host.driver.followLogs(id, { sinceMs: (old?.at ?? 0) + 1, onLine, signal: new AbortController().signal })
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
      await host.driver.followLogs(id, { sinceMs: 0, onLine, signal: stop.signal })
      expect(lines).toEqual(['up'])
      expect(await find(id)).toMatchObject({ state: 'running' })
    })
  })
}
