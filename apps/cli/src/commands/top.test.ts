// `runyard top` in a real pseudo terminal, which `script` makes, with keys as a person types them.
import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { runCommandLine } from '../command-line.ts'
import { openFakeGateway, type FakeGateway } from '../testing/fake-gateway.ts'
import { recorder } from '../testing/recorder.ts'
import { SMALL_POOL } from '../testing/small-pool.ts'

const MAIN = join(import.meta.dirname, '..', 'main.ts')

let gateway: FakeGateway
let child: ChildProcess | undefined
let seen = ''
beforeEach(async () => {
  gateway = await openFakeGateway({ ...SMALL_POOL, [`/runyard/v1/explain/${CAPTION}`]: SMALL_POOL['/runyard/v1/explain/k2j4h5g6f7d8s9'] })
})
afterEach(async () => {
  child?.kill('SIGKILL')
  await gateway[Symbol.asyncDispose]()
})

const CAPTION = 'live-caption-of-every-picture-in-the-archive'

function start(columns: number): { readonly exited: Promise<number | null> } {
  seen = ''
  const env = { PATH: process.env['PATH'], HOME: '/nowhere', TERM: 'xterm-256color', RUNPOD_API_BASE_URL: gateway.url, RUNPOD_API_KEY: 'k' }
  const command = `stty cols ${columns} rows 24; exec ${process.execPath} ${MAIN} top`
  child = spawn('script', ['-qfec', command, '/dev/null'], { env, stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdout?.on('data', (data: Buffer) => {
    seen += data.toString()
  })
  return { exited: new Promise((resolve) => child?.once('exit', resolve)) }
}

/** Types, and waits until the screen that follows has the text. */
async function press(keys: string, text: string | RegExp): Promise<string> {
  seen = ''
  child?.stdin?.write(keys)
  await expect.poll(() => stripVTControlCharacters(seen), { timeout: 20_000 }).toMatch(text)
  return stripVTControlCharacters(seen)
}

it('shows cards, queues and workers, filters, shows faults only, describes, shows logs and quits', async () => {
  const { exited } = start(110)
  await expect
    .poll(() => stripVTControlCharacters(seen), { timeout: 30_000 })
    .toMatch(/1 of 4 cards held · 6 jobs run, 1 wait · 2 workers/u)
  expect(seen).toContain('\u001B[?1049h')
  expect(stripVTControlCharacters(seen)).toMatch(/▶ gpu-box-1·0 .*held .*██████░░░░ {2}62 %/u)
  expect(await press('z', 'faults only')).toMatch(/gpu-box-1·1 .*quarantined[^]*XID 79/u)
  await press('z', 'local·0')
  await press('/L4\r', /filter \/L4/u)
  expect(await press('\u001B', /gpu-box-1·0/u)).not.toContain('filter /L4')
  await press('d', 'every card of gpu-box-1 is held')
  await press('q', 'Tab list')
  await press('l', 'the picture has no pixels')
  await press('q', 'Tab list')
  await press('\t', /\[queues\][^]*upscale/u)
  await press('\t', /\[workers\][^]*throttled-1/u)
  await press('?', 'only faults')
  await press('q', 'Tab list')
  child?.stdin?.write('q')
  expect(await exited).toBe(0)
  expect(seen).toContain('\u001B[?1049l')
})

it('wraps nothing on a narrow terminal', async () => {
  start(60)
  await expect.poll(() => stripVTControlCharacters(seen), { timeout: 30_000 }).toContain('gpu-box-1·0')
  const lines = stripVTControlCharacters(seen).split(/\r?\n/u)
  expect(lines.filter((line) => line.length > 60)).toEqual([])
})

it('needs a terminal', async () => {
  const [out, err] = [recorder(), recorder()]
  const env = { RUNPOD_API_BASE_URL: gateway.url, RUNPOD_API_KEY: 'k', HOME: '/nowhere' }
  expect(await runCommandLine(['top'], { env, cwd: '/', out, err })).toBe(1)
  expect(err.text()).toBe('runyard: `top` needs a terminal; `runyard status --watch` works without one.\n')
})
