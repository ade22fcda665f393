// The README's first command, as a new user types it, on the process host: it prints its whole story and leaves nothing behind.
import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { dieWithUs, runCommand } from '../harness/child.ts'
import { findLastingLeaks } from '../harness/leaks.ts'
import { cleanEnv } from '../harness/stack.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { venvPython } from '../harness/venvs.ts'
import { waitFor } from '../harness/wait.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const WRAPPER = join(ROOT, 'runyard')

await suiteThatNeeds(['redis', 'venv:flash-1.21'], './runyard demo on the process host', () => {
  test('prints the cold call, the warm call and the scale-down to zero, ends with a link to its page, and leaves nothing behind', async () => {
    const scratch = await mkdtemp(join(tmpdir(), 'runyard-demo-test-'))
    try {
      const env = { ...cleanEnv(), RUNYARD_HOSTS: 'process', TMPDIR: scratch, NO_COLOR: '1' }
      const { said, press, ended } = onTerminal(`${WRAPPER} demo`, env)
      await Promise.race([
        ended,
        waitFor('the demo to end with a link', () => said().includes('Enter ends the demo'), { timeoutMs: 200_000 }),
      ])
      const [, link = '', code] = /(http:\S+)#c=(\S+)/u.exec(between(said(), 'Back to zero', 'Enter ends')) ?? []
      expect(await (await fetch(link)).text()).toContain('<div id="root">')
      const headers = { 'content-type': 'application/json', 'x-runyard': '1', origin: new URL(link).origin }
      const signedIn = await fetch(new URL('/runyard/v1/session', link), { method: 'POST', body: JSON.stringify({ code }), headers })
      expect(signedIn.headers.get('set-cookie')).toMatch(/HttpOnly/u)
      press('\n')
      expect([await ended, said()]).toEqual([0, expect.stringContaining('./runyard up')])
      for (const moment of ['agent ready', 'function entered', 'returned'])
        expect(between(said(), 'Cold call', 'Warm call')).toContain(moment)
      for (const moment of ['function entered', 'returned']) expect(between(said(), 'Warm call', 'Back to zero')).toContain(moment)
      expect(between(said(), 'Back to zero', 'Next')).toMatch(
        /worker idle[^]*worker retired: no job for idle_timeout seconds[^]*worker removed/,
      )
      expect(said()).toContain('simulated')
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

/** As somebody types it: who reads the link has a terminal. */
function onTerminal(command: string, env: NodeJS.ProcessEnv) {
  const wide = `stty cols 120 rows 50; exec ${command}`
  const child = spawn(...dieWithUs('script', ['-qefc', wide, '/dev/null'], 'TERM'), { env, stdio: ['pipe', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  const ended = new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve))
  return { said: () => output, press: (keys: string) => child.stdin.write(keys), ended }
}

function between(text: string, start: string, end: string): string {
  const from = text.indexOf(start)
  return from === -1 ? '' : text.slice(from, text.indexOf(end, from))
}
