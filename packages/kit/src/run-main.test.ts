import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { describe, expect, it } from 'vitest'
import { aborted } from './run-main.ts'

const KIT = new URL('./index.ts', import.meta.url).href

async function start(body: string, env: Record<string, string> = {}) {
  const source = `import { runMain } from ${JSON.stringify(KIT)}; await runMain('probe', async ({ log, scope }) => { ${body} })`
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
    cwd: tmpdir(),
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const { stdout, stderr } = child
  if (stdout === null || stderr === null) throw new Error('the probe was started without pipes')
  let out = ''
  let err = ''
  const marks = new Map<string, () => void>()
  stdout.on('data', (data: Buffer) => {
    out += data.toString()
    for (const [mark, resolve] of marks) if (out.includes(mark)) resolve()
  })
  stderr.on('data', (data: Buffer) => {
    err += data.toString()
  })
  const seen = (mark: string) => new Promise<void>((resolve) => (out.includes(mark) ? resolve() : marks.set(mark, resolve)))
  // Not `close`: a child whose channel this side has disconnected never emits it.
  const ended = Promise.all([once(child, 'exit'), once(stdout, 'end'), once(stderr, 'end')]).then(([[code]]) => ({
    code: code as number,
    out,
    err,
  }))
  return { child, seen, ended }
}

const UP = `scope.defer(() => log.info('closed')); log.info('up'); setInterval(() => {}, 1e6)`

describe('runMain', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('closes its scope on %s and exits with 0', async (signal) => {
    const { child, seen, ended } = await start(UP)
    await seen('up')
    child.kill(signal)
    const { code, out } = await ended
    expect(code).toBe(0)
    expect(out).toContain('"msg":"closed"')
  })

  it('stops when its supervisor is gone', async () => {
    const { child, seen, ended } = await start(UP)
    await seen('up')
    child.disconnect()
    const { code, out } = await ended
    expect(code).toBe(0)
    expect(out).toContain('supervisor gone')
  })

  it('stops when its supervisor and the reader of its log are gone', async () => {
    const { child, seen } = await start(`${UP}; scope.defer(() => log.info('x'.repeat(20_000)))`)
    await seen('up')
    const exited = once(child, 'exit')
    child.stdout?.destroy()
    child.disconnect()
    expect(await exited).toEqual([0, null])
  })

  it('ends at once on a second signal', async () => {
    const { child, seen, ended } = await start(`scope.defer(() => new Promise(() => {})); log.info('up'); setInterval(() => {}, 1e6)`)
    await seen('up')
    child.kill('SIGINT')
    await seen('stopping')
    child.kill('SIGINT')
    expect((await ended).code).toBe(130)
  })

  it('reports in one sentence why it could not start, and closes its scope', async () => {
    const { ended } = await start(`scope.defer(() => log.info('closed')); throw new Error('no floor')`)
    const { code, out, err } = await ended
    expect(code).toBe(1)
    expect(err).toBe('Error: no floor\n')
    expect(out).toContain('"msg":"closed"')
  })

  it('exits with 2 on a wrong configuration', async () => {
    const { ended } = await start(UP, { RUNYARD_LISTEN_PORT: 'x' })
    const { code, err } = await ended
    expect(code).toBe(2)
    expect(err).toBe('RUNYARD_LISTEN_PORT is wrong: allowed is a whole number from 0 to 65535.\n')
  })
})

it('resolves when the signal aborts, and at once if it has already aborted', async () => {
  const stop = new AbortController()
  const waiting = aborted(stop.signal)
  stop.abort()
  await waiting
  await expect(aborted(stop.signal)).resolves.toBeUndefined()
})
