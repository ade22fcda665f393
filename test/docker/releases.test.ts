// Releases that cannot start, on a real engine (ADR 59): reported always, and rolled back where a good release is on record.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runCommand, tryCommand } from '../harness/child.ts'
import { runCli } from '../harness/cli.ts'
import { ensureHandlerImage } from '../harness/handler-image.ts'
import { startStack, type Stack } from '../harness/stack.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { waitFor } from '../harness/wait.ts'

const REPOSITORY = `runyard-test/release-${process.pid}`
const GOOD = `${REPOSITORY}:good`
const BAD = `${REPOSITORY}:bad`
/** Two pauses between three tries take 40 s. */
const THREE_TRIES = { timeoutMs: 180_000 }

await suiteThatNeeds(['redis', 'docker', 'worker-image'], 'a release whose image cannot start', () => {
  let stack: Stack
  beforeAll(async () => {
    const base = await ensureHandlerImage('1.12.0')
    const build = async (tag: string, program: string): Promise<void> => {
      const recipe = `FROM ${base}\nENTRYPOINT []\nCMD ${JSON.stringify(['python3', '-u', '-c', program])}\n`
      await runCommand('docker', ['build', '-q', '-t', tag, '-'], { input: recipe })
    }
    await build(GOOD, 'import runpod; runpod.serverless.start({"handler": lambda job: "good"})')
    await build(BAD, 'raise SystemExit("cannot load the model")')
    stack = await startStack({ host: 'docker', settings: { RUNYARD_RELEASES_ROLL_BACK: 'true' } })
  }, 600_000)
  afterAll(async () => {
    await stack?.stop()
    await tryCommand('docker', ['image', 'rm', '-f', GOOD, BAD])
  })

  const endpoint = (name: string, image: string) => ({ name, image, workersMin: 0, workersMax: 1, idleTimeout: 600 })
  const eventsOf = async (id: string): Promise<readonly { kind: string; message?: string }[]> => {
    const { json } = await stack.api.get(`/v2/serverless/${id}/events`)
    return json['events'] as { kind: string; message?: string }[]
  }

  test.concurrent('is rolled back to the last good release, which runs the waiting job, and every view reports it until the next save', async () => {
    const id = await stack.api.saveEndpoint(endpoint('rolls', GOOD))
    expect(await stack.api.settled(id, await stack.api.run(id, {}))).toMatchObject({ status: 'COMPLETED', output: 'good' })
    expect(await stack.api.saveEndpoint(endpoint('rolls', BAD))).toBe(id)
    const waiting = await stack.api.run(id, {})
    expect(await stack.api.settled(id, waiting, THREE_TRIES.timeoutMs)).toMatchObject({ status: 'COMPLETED', output: 'good' })

    const words = /could not start, so the endpoint was rolled back to the last good one: [^]*cannot load the model/u
    expect(await stack.api.health(id)).toMatchObject({ reason: 'rolled_back', message: expect.stringMatching(words) })
    const events = await eventsOf(id)
    expect(events.filter(({ kind }) => kind === 'endpoint_rolled_back')).toMatchObject([{ message: expect.stringMatching(words) }])
    expect((await runCli(['status'], stack.env)).stdout).toContain('was rolled back to the last good one')
    expect((await runCli(['explain', 'rolls'], stack.env)).stdout).toContain('was rolled back to the last good one')

    await stack.api.saveEndpoint({ ...endpoint('rolls', GOOD), idleTimeout: 601 })
    await waitFor('the report to end', async () => (await stack.api.health(id)).reason === undefined)
  })

  test.concurrent('is only reported while no release was ever good', async () => {
    const id = await stack.api.saveEndpoint(endpoint('never-good', BAD))
    const job = await stack.api.run(id, {})
    const isReported = async (): Promise<boolean> => /has started in 3 tries/u.test((await stack.api.health(id)).message ?? '')
    await waitFor('the failed release to be reported', isReported, THREE_TRIES)
    const isSaid = async (): Promise<boolean> =>
      /^no worker of the release of .* has started/u.test((await stack.api.status(id, job)).queueMessage ?? '')
    await waitFor('the waiting job to say so', isSaid)
    expect((await stack.api.status(id, job)).queueMessage).toMatch(/cannot load the model/u)
    expect((await eventsOf(id)).map(({ kind }) => kind)).not.toContain('endpoint_rolled_back')
  })
})
