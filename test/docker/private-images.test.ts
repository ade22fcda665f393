// Private images: a real registry with a password, credentials as users enter them, and the messages while they are missing or wrong
// (management §2.4, §3.5). The password appears only in the store and in the pull.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { tryCommand } from '../harness/child.ts'
import { runCli } from '../harness/cli.ts'
import { createEndpointOf, startImageRegistry, type ImageRegistry } from '../harness/image-registry.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { startStack, type Stack } from '../harness/stack.ts'
import { waitFor } from '../harness/wait.ts'

const OUTPUT = 'from a private image'

await suiteThatNeeds(['redis', 'docker', 'image-registry'], 'private images', () => {
  let stack: Stack
  let registry: ImageRegistry
  beforeAll(async () => {
    registry = await startImageRegistry()
    stack = await startStack({ host: 'docker' })
  })
  afterAll(async () => {
    await stack?.stop()
    await registry?.[Symbol.asyncDispose]()
  })

  const cli = (words: readonly string[], input?: string) => runCli(words, stack.env, input)
  const create = (name: string, image: string, registryId?: string): Promise<string> =>
    createEndpointOf(stack.api, image, { name, registryId })

  test('are pulled and run with credentials, and the password appears nowhere', async () => {
    const image = await registry.push('private/first:1')
    const added = await cli(['registries', 'add', 'mine', '--username', registry.username], `${registry.password}\n`)
    expect(added).toMatchObject({ code: 0, stdout: expect.stringMatching(/^mine \(\w+\) is kept\n$/) })
    const registryId = /\((\w+)\)/.exec(added.stdout)?.[1] ?? ''
    const id = await create('first', image, registryId)
    const job = await stack.api.settled(id, await stack.api.run(id, {}))
    expect(job).toMatchObject({ status: 'COMPLETED', output: OUTPUT })

    const paths = ['/v2/registries', `/v2/registries/${registryId}`, `/v2/serverless/${id}`, `/v2/serverless/${id}/events`]
    const replies = await Promise.all([...paths, `/hapi/v1/pod/${String(job['workerId'])}/logs`].map((path) => stack.api.get(path)))
    const containers = await tryCommand('docker', ['ps', '-aq', '--filter', `ancestor=${image}`])
    const inspected = await tryCommand('docker', ['inspect', image, ...containers.stdout.split('\n').filter((line) => line !== '')])
    expect(inspected.stdout).toContain('worker.sh')
    const shown = [...replies.map(({ text }) => text), inspected.stdout, stack.logs()]
    expect(shown.filter((text) => text.includes(registry.password) || text.includes(btoa(registry.password)))).toEqual([])
  })

  test('report missing and wrong credentials; with the right ones the waiting job runs', async () => {
    const image = await registry.push('private/second:1')
    const id = await create('second', image)
    const jobId = await stack.api.run(id, {})
    const showsReason = (sentence: string) =>
      waitFor('the job to say why it waits', async () => {
        const job = await stack.api.status(id, jobId)
        return job['queueReason'] === 'registry_refused' && String(job['queueMessage']).includes(sentence)
      })
    await showsReason('its registry asks for credentials (')
    await expect
      .poll(() => stack.api.health(id), { timeout: 60_000 })
      .toMatchObject({ reason: 'registry_refused', workers: { unhealthy: 1 } })

    const wrong = await stack.api.post('/v2/registries', { name: 'later', username: registry.username, password: 'a guess' })
    expect((await cli(['endpoints', 'update', 'second', '--registry', 'later'])).stdout).toContain(String(wrong.json['id']))
    await showsReason('its registry refuses the credentials "later" (')
    await cli(['registries', 'update', 'later', '--username', registry.username], registry.password)
    expect(await stack.api.settled(id, jobId)).toMatchObject({ status: 'COMPLETED', output: OUTPUT })
  })
})
