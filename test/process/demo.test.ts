// The README's first command, as a new user types it, on the process host: it prints its whole story and leaves nothing behind.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runCommand, tryCommand } from '../harness/child.ts'
import { findLastingLeaks } from '../harness/leaks.ts'
import { cleanEnv } from '../harness/stack.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { venvPython } from '../harness/venvs.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const WRAPPER = join(ROOT, 'runyard')

await suiteThatNeeds(['redis', 'venv:flash-1.21'], './runyard demo on the process host', () => {
  test('prints the cold call, the warm call and the scale-down to zero, and leaves nothing behind', { timeout: 300_000 }, async () => {
    const scratch = await mkdtemp(join(tmpdir(), 'runyard-demo-test-'))
    try {
      const env = { ...cleanEnv(), RUNYARD_HOSTS: 'process', TMPDIR: scratch }
      const { code, stdout, stderr } = await tryCommand(WRAPPER, ['demo'], { env, timeoutMs: 280_000 })
      expect([code, stderr]).toEqual([0, expect.any(String)])
      for (const moment of ['agent ready', 'function entered', 'returned'])
        expect(between(stdout, 'Cold call', 'Warm call')).toContain(moment)
      for (const moment of ['function entered', 'returned']) expect(between(stdout, 'Warm call', 'Back to zero')).toContain(moment)
      expect(between(stdout, 'Back to zero', 'Next')).toMatch(
        /worker idle[^]*worker retired: no job for idle_timeout seconds[^]*worker removed/,
      )
      expect(stdout).toContain('simulated')
      expect(await readdir(scratch)).toEqual([])
      expect(await findLastingLeaks({ dataDir: scratch, instance: undefined, ownPid: process.pid })).toEqual([])
    } finally {
      await rm(scratch, { recursive: true, force: true })
    }
  })

  // Decorating sends nothing yet, but the SDK validates its arguments.
  test('the SDK accepts the README’s example', async () => {
    const example = /```python\n([^]*?)```/.exec(await readFile(join(ROOT, 'README.md'), 'utf8'))?.[1] ?? ''
    const withoutCall = example.replace(/^print\(asyncio.*$/mu, '')
    const env = { ...cleanEnv(), RUNPOD_API_KEY: 'none' }
    expect(await runCommand(venvPython('flash-1.21'), ['-c', `${withoutCall}\nprint(callable(hello))`], { env })).toContain('True')
  })
})

function between(text: string, start: string, end: string): string {
  const from = text.indexOf(start)
  return from === -1 ? '' : text.slice(from, text.indexOf(end, from))
}
