// Standby workers through the whole stack (ADR 56): configuration, a live function on a started worker, the pool that fills again, what is left behind.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runCommand } from '../harness/child.ts'
import { runCli } from '../harness/cli.ts'
import { startStack, type Stack } from '../harness/stack.ts'
import { instanceId } from '../harness/store.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { waitFor } from '../harness/wait.ts'
import { sourceCall, valueOf } from '../suites/calls.ts'

/** What a function sees that could come from another endpoint or from the time before the worker had one. */
const LOOK = `
def look():
    import os
    return {
        "own": os.environ.get("OWN"),
        "endpoint": os.environ.get("RUNPOD_ENDPOINT_ID"),
        "worker": os.environ.get("RUNPOD_POD_ID"),
        "names": sorted(os.environ),
        "files": sorted(os.listdir("/tmp")),
        "written": open("/tmp/trace", "a+").write("x"),
    }
`

await suiteThatNeeds(['redis', 'docker', 'worker-image'], 'standby workers of a host', () => {
  let stack: Stack
  let instance: string
  /** Of a shell beside the scaler, which reads the same settings. */
  beforeAll(async () => {
    const settings = { RUNYARD_HOSTS: JSON.stringify([{ id: 'local', kind: 'docker', standby: 2 }]) }
    stack = await startStack({ host: 'docker', settings })
    instance = (await instanceId(stack.redis.url)) ?? ''
  }, 120_000)
  // It fails if a container is left.
  afterAll(async () => stack?.stop())

  /** All containers that were started to stand by, by id. */
  const prepared = async (): Promise<readonly string[]> => {
    const filters = [`label=runyard=${instance}`, 'label=runyard.standby', 'status=running'].flatMap((filter) => ['--filter', filter])
    return (await runCommand('docker', ['ps', '-q', '--no-trunc', ...filters])).split('\n').filter((id) => id !== '')
  }
  const show = async (): Promise<string> => (await runCli(['hosts', 'show', 'local'], stack.env)).stdout
  const shown = (words: string) => waitFor(words, async () => (await show()).includes(words), { timeoutMs: 60_000 })
  const nameIn = async (container: string): Promise<string> =>
    (await runCommand('docker', ['inspect', '--format', '{{.Name}}', container])).trim()

  test('one takes on a live function with a token and an environment of its own, shares nothing, and is replaced', async () => {
    await shown('2 workers wait for an endpoint')
    const before = await prepared()
    expect(before).toHaveLength(2)
    expect((await runCli(['status'], stack.env)).stdout).toContain('2 standby workers')

    const one = await stack.api.saveEndpoint({ name: 'one', env: { OWN: 'of one', ONLY_ONE: 'yes' }, idleTimeout: 600 })
    const two = await stack.api.saveEndpoint({ name: 'two', env: { OWN: 'of two' }, idleTimeout: 600 })
    const call = async (id: string) => {
      const job = await stack.api.runsync(id, sourceCall('look', LOOK))
      expect(job).toMatchObject({ status: 'COMPLETED' })
      return valueOf(job['output'])
    }
    const [first, second] = await Promise.all([call(one), call(two)])
    expect([first, second]).toMatchObject([
      { own: 'of one', endpoint: one },
      { own: 'of two', endpoint: two },
    ])
    expect(first['worker']).not.toBe(second['worker'])
    expect(second['names']).not.toContain('ONLY_ONE')
    for (const { names, files } of [first, second]) {
      expect(names).not.toContain('RUNYARD_STANDBY')
      expect(names).not.toContain('RUNPOD_AI_API_KEY')
      expect(files).not.toContain('trace')
    }
    // They ran in the containers that stood by, not in new ones.
    const names = await Promise.all(before.map(nameIn))
    expect(names).toHaveLength(2)
    for (const { worker } of [first, second]) expect(names).toContainEqual(expect.stringContaining(String(worker)))

    await shown('2 workers wait for an endpoint')
    expect((await prepared()).filter((id) => !before.includes(id))).toHaveLength(2)
  })

  test('none waits on a cordoned host, and they come back with the host', async () => {
    await runCli(['hosts', 'cordon', 'local'], stack.env)
    await waitFor('the standby workers to go', async () => !(await show()).includes('wait for an endpoint'), { timeoutMs: 60_000 })
    await runCli(['hosts', 'uncordon', 'local'], stack.env)
    expect(await shown('2 workers wait for an endpoint')).toBe(true)
  })
})
