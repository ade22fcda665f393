// A killed test run cannot end what it started: its own children die with it, the rest is removed when the next stack starts.
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { noteOwner, reapAbandoned, STACK_PREFIX } from '../harness/abandoned.ts'
import { startChild, type Child } from '../harness/child.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { waitFor } from '../harness/wait.ts'

const HARNESS = join(import.meta.dirname, '..', 'harness')

/** A run in the middle of a scenario. `worker` is a detached process that belongs to its stack, like real workers. */
const RUN = `
import { spawn } from 'node:child_process'
import { startStack } from ${JSON.stringify(join(HARNESS, 'stack.ts'))}
const stack = await startStack({ host: 'process' })
const worker = spawn('sleep', ['600'], { env: { ...process.env, OF_STACK: stack.dataDir }, detached: true, stdio: 'ignore' })
worker.unref()
const children = { redis: stack.redis.pid, gateway: stack.gateway.pid(), scaler: stack.scaler.pid() }
console.log('IS UP ' + JSON.stringify({ dataDir: stack.dataDir, worker: worker.pid, ...children }))
`

interface Running {
  readonly dataDir: string
  readonly worker: number
  readonly redis: number
  readonly gateway: number
  readonly scaler: number
}

const runs: Child[] = []
afterEach(async () => {
  for (const run of runs.splice(0)) await run.stop(0)
})

/** A zombie counts as gone, too. */
async function isGone(pid: number): Promise<boolean> {
  return (await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '')) === ''
}

async function startRun(): Promise<{ run: Child; up: Running }> {
  const run = startChild({ name: 'a run', command: process.execPath, args: ['--input-type=module', '-e', RUN] })
  runs.push(run)
  const isUp = (): string | undefined => {
    if (!run.isRunning()) throw new Error(run.output())
    return /IS UP (.*)/.exec(run.output())?.[1]
  }
  const line = await waitFor('the stack of the run', isUp, { timeoutMs: 90_000 })
  return { run, up: JSON.parse(line) as Running }
}

await suiteThatNeeds(['redis'], 'a test run that is killed', () => {
  test('ends its own children, and the next run removes the rest of its stack', async () => {
    const { run, up } = await startRun()
    run.signal('SIGKILL')
    await run.exited
    for (const pid of [up.redis, up.gateway, up.scaler]) await waitFor(`${pid} to be gone`, () => isGone(pid))
    await reapAbandoned()
    await waitFor('the worker to be gone', () => isGone(up.worker))
    // Another run may have started first and still be removing it.
    await expect.poll(() => existsSync(up.dataDir), { timeout: 60_000 }).toBe(false)
  })

  test('is distinguished from a run that continues, and from a process that reuses its pid', async () => {
    const [ours, theirs] = [await mkdtemp(STACK_PREFIX), await mkdtemp(STACK_PREFIX)]
    await noteOwner(ours)
    await writeFile(join(theirs, 'owner.json'), JSON.stringify({ pid: process.pid, start: '1' }))
    await reapAbandoned()
    expect([existsSync(ours), existsSync(theirs)]).toEqual([true, false])
    await writeFile(join(ours, 'owner.json'), JSON.stringify({ pid: process.pid, start: '1' }))
    await reapAbandoned()
  })
})
