// The dev loop of worker images: a failing start, an image rebuilt under its tag, a save that changes nothing else.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runCommand, tryCommand } from '../harness/child.ts'
import { ensureHandlerImage } from '../harness/handler-image.ts'
import { startStack, type Stack } from '../harness/stack.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { waitFor } from '../harness/wait.ts'

const TAG = `runyard-test/rebuilt-${process.pid}:latest`
const answering = (word: string) => `import runpod; runpod.serverless.start({"handler": lambda job: "${word}"})`

await suiteThatNeeds(['redis', 'docker', 'worker-image'], 'images that are rebuilt under their tag', () => {
  let stack: Stack
  let base: string
  beforeAll(async () => {
    base = await ensureHandlerImage('1.12.0')
    stack = await startStack({ host: 'docker' })
  }, 600_000)
  afterAll(async () => {
    await stack?.stop()
    await tryCommand('docker', ['image', 'rm', '-f', TAG])
  })

  const build = async (program: string) => {
    const recipe = `FROM ${base}\nENTRYPOINT []\nCMD ${JSON.stringify(['python3', '-u', '-c', program])}\n`
    await runCommand('docker', ['build', '-q', '-t', TAG, '-'], { input: recipe })
  }
  const endpoint = { name: 'rebuilt', image: TAG, workersMin: 0, workersMax: 1, idleTimeout: 600 }

  test('a save starts a fixed image at once, and replaces a warm worker of an older image', async () => {
    await build('raise SystemExit("cannot load the model")')
    const id = await stack.api.saveEndpoint(endpoint)
    const first = await stack.api.run(id, {})
    // After two failed starts the next attempt is half a minute away.
    const failed = async () => {
      const { events } = (await stack.api.get(`/v2/serverless/${id}/events`)).json as { events: { kind: string }[] }
      return events.filter(({ kind }) => kind === 'worker_gone').length >= 2
    }
    await waitFor('two starts to fail', failed, { timeoutMs: 60_000 })
    await expect
      .poll(() => stack.api.status(id, first))
      .toMatchObject({ queueMessage: expect.stringMatching(/^the next try is due at \S+Z; /u) })
    await build(answering('one'))
    await stack.api.saveEndpoint(endpoint)
    expect(await stack.api.settled(id, first)).toMatchObject({ status: 'COMPLETED', output: 'one' })

    await build(answering('two'))
    await stack.api.saveEndpoint(endpoint)
    await stack.api.untilZero(id)
    expect(await stack.api.runsync(id, {})).toMatchObject({ status: 'COMPLETED', output: 'two' })
  })
})
