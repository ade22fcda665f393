// Endpoints for existing images, created as users do: with `runpod` 1.12 over GraphQL, `runpod` 2.0 over REST v2, and our own CLI
// (management §4.2, sdk2-api §7.2). Images of our worker run here; an image with its own handler is not placed, and the reason is shown.
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { followCli, runCli } from '../harness/cli.ts'
import { runPython } from '../harness/python.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { startStack, type Stack } from '../harness/stack.ts'
import { waitFor } from '../harness/wait.ts'
import { COUNT, NAP, READ_MODE, sourceCall, valueOf } from '../suites/calls.ts'

const SPEAK = `
def speak(word):
    print("spoken " + word)
`
const HANG_ONCE = `
def hang_once(path):
    import os, time
    if not os.path.exists(path):
        open(path, "w").close()
        time.sleep(600)
    return "found"
`
const IMAGE = 'runpod/queue:py3.12-latest'

await suiteThatNeeds(['redis', 'venv:runpod-1.12', 'venv:runpod-2.0'], 'endpoints for existing images', () => {
  let stack: Stack
  beforeAll(async () => {
    stack = await startStack({ host: 'process', simulatedGpus: 'NVIDIA RTX A4000:1' })
  })
  afterAll(async () => {
    await stack?.stop()
  })

  const manage = async (venv: 'runpod-1.12' | 'runpod-2.0') => {
    const args = [IMAGE, JSON.stringify(sourceCall('read_mode', READ_MODE))]
    return (await runPython({ venv, program: 'runpod_manage.py', args, env: stack.env })).found
  }
  const cli = (...words: readonly string[]) => runCli(words, stack.env)

  test('runpod 1.12 creates, runs, updates, lists and deletes over GraphQL', async () => {
    const found = await manage('runpod-1.12')
    expect(found['template']).toMatchObject({ name: 'first', imageName: IMAGE, ports: '8000/http', isServerless: true, volumeInGb: 0 })
    const { id: templateId } = found['template'] as { id: string }
    expect(found['endpoint']).toMatchObject({ name: 'managed', templateId, gpuIds: 'AMPERE_16', workersMax: 1, networkVolumeId: '' })
    expect(found['swapped']).toEqual({ id: (found['endpoint'] as { id: string }).id, templateId: expect.not.stringMatching(templateId) })
    expect(found['listed']).toEqual([
      expect.objectContaining({ name: 'managed', type: 'QB', version: 2, env: [{ key: 'MODE', value: 'b' }] }),
    ])
    expect(found['inUse']).toContain('Template "second" is used by the endpoint "managed"')
    expect(found).toMatchObject({ gpu: { displayName: 'RTX 4090', memoryInGb: 24 }, user: { networkVolumes: [] } })
    expect(found['getPods']).toContain('QueryError: Pods are not served here')
    expectSameOfBoth(found)
  })

  test('runpod 2.0 creates, runs, updates, lists and deletes over REST v2', async () => {
    const found = await manage('runpod-2.0')
    expect(found['template']).toMatchObject({ name: 'first', image: IMAGE, ports: ['8000/http'], serverless: true, env: { MODE: 'a' } })
    expect(found['endpoint']).toMatchObject({
      name: 'managed',
      gpu: { pools: ['AMPERE_16'] },
      workers: { min: 0, max: 1, idleTimeout: 60 },
    })
    expect(found['swapped']).toMatchObject({ image: IMAGE, env: { MODE: 'b' } })
    expect(found['listed']).toEqual([expect.objectContaining({ name: 'managed', type: 'QUEUE', env: { MODE: 'b' } })])
    expect(found).toMatchObject({ gpu: { name: 'RTX 4090', memory: 24, pool: 'ADA_24', availability: 'HIGH' } })
    expect(found['getPods']).toEqual({ returned: [] })
    expectSameOfBoth(found)
  })

  /** What both dialects have in common, because the model contains the rules. */
  function expectSameOfBoth(found: Readonly<Record<string, unknown>>): void {
    expect([valueOf(found['output']), valueOf(found['after'])]).toEqual([{ mode: 'a' }, { mode: 'b' }])
    expect(found).toMatchObject({ again: true, left: [], gpus: expect.any(Number), deleted: true })
    const registry = { id: expect.any(String) as string, name: 'mine' }
    expect([found['registry'], found['updated']]).toMatchObject([registry, registry])
    expect(JSON.stringify([found['registry'], found['updated']])).not.toContain('password')
    const sentences = {
      otherContent: 'QueryError: A template named "second" exists already with another content',
      unknownTemplate: 'QueryError: Template "no-such-template" was not found.',
      podTemplate: 'QueryError: Template "for pods" is for pods; an endpoint needs a serverless one',
      unknownGpu: 'ValueError: No GPU found with the specified ID',
      stopPod: 'QueryError: Pods are not served here',
      terminatePod: 'QueryError: Pod "x" was not found.',
      sameName: 'QueryError: Registry credentials named "mine" exist already',
      unknownRegistry: 'QueryError: Registry credentials "no-such-registry" were not found',
      registryInUse: 'QueryError: Registry credentials "mine" are used by the endpoint "private"',
    }
    for (const [what, sentence] of Object.entries(sentences)) expect(found[what]).toContain(sentence)
    expect(JSON.stringify(found['userSettings'])).toContain('ssh-ed25519 x')
  }

  test('the CLI creates, shows, lists, updates and deletes, and shows jobs, workers and logs', async () => {
    const made = await cli(
      'endpoints',
      'create',
      '--name',
      'by-hand',
      '--image',
      IMAGE,
      '--cpu',
      'cpu3c-2-4',
      '--workers',
      '0..1',
      '--idle-timeout',
      '600',
      '--env',
      'MODE=a',
      '--json',
    )
    const { id } = JSON.parse(made.stdout) as { id: string }
    expect(JSON.parse(made.stdout)).toMatchObject({
      env: { MODE: 'a' },
      workers: { min: 0, max: 1, idleTimeout: 600 },
      cpu: [{ id: 'cpu3c', vcpuCount: 2, memory: 4 }],
    })
    expect(valueOf((await stack.api.runsync(id, sourceCall('read_mode', READ_MODE)))['output'])).toEqual({ mode: 'a' })
    expect((await cli('endpoints', 'list')).stdout).toMatch(new RegExp(`by-hand +${id} +${IMAGE} +cpu3c-2-4 +0\\.\\.1`))
    const changed = await cli('endpoints', 'update', 'by-hand', '--env', 'MORE=1', '--workers', '2')
    expect(changed.stdout).toMatch(/by-hand .*updated\n[^]*workers +0\.\.2\n[^]*variables +MODE, MORE\n/)
    const shown = await cli('endpoints', 'show', id)
    expect(shown.stdout).toContain(`${stack.url}/v2/${id}/runsync`)
    const ran = await cli('run', 'by-hand', JSON.stringify({ input: sourceCall('read_mode', READ_MODE) }))
    expect(ran).toMatchObject({ code: 0 })
    expect(valueOf(JSON.parse(ran.stdout))).toEqual({ mode: 'a' })
    const napping = (
      await cli('run', 'by-hand', JSON.stringify({ input: sourceCall('nap', NAP, { seconds: 60 }) }), '--async')
    ).stdout.trim()
    const begun = napping.slice(0, 12)
    expect((await cli('cancel', '--endpoint', 'by-hand', '--dry-run')).stdout).toBe('this would cancel 1 job of by-hand\n')
    expect((await cli('cancel', begun)).stdout).toBe(`${napping} of by-hand is cancelled\n`)
    await expect.poll(async () => (await cli('jobs', 'by-hand')).stdout, { timeout: 60_000 }).toMatch(/CANCELLED[^]*COMPLETED/)
    expect((await cli('jobs', '--status', 'cancelled', '-o', 'name')).stdout).toBe(`${napping}\n`)
    const job = await stack.api.settled(id, await stack.api.run(id, sourceCall('read_mode', READ_MODE)))
    expect((await cli('workers', 'by-hand')).stdout).toContain(String(job['workerId']))
    expect((await cli('logs', String(job['workerId']))).stdout).toContain('start container')
    expect((await cli('job', 'show', job['id'])).stdout).toContain('COMPLETED\n')
    // The list that a beginning is looked up in is a second behind.
    await expect
      .poll(() => cli('job', 'show', job['id'].slice(0, 12)))
      .toMatchObject({
        stderr: `${job['id']} of by-hand\n`,
        stdout: expect.stringMatching(/COMPLETED\n[^]*by-hand[^]*"mode": "a"/) as string,
      })
    expect((await cli('gpus')).stdout).toMatch(/RTX A4000 \(simulated\) +free/)
    const streamed = await cli('run', 'by-hand', JSON.stringify(sourceCall('count', COUNT, { to: 3 })), '--stream')
    const chunks = streamed.stdout
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line))
    expect(streamed.code).toBe(0)
    expect(chunks).toMatchObject([0, 1, 2].map((number) => ({ json_result: { number } })))
    const tooLong = await startTooLong()
    await followThroughARestart(id)
    await retryByFilter(id, tooLong)
    expect((await cli('endpoints', 'create', '--name', 'by-hand', '--image', IMAGE)).stderr).toContain('exists already')
    expect((await cli('endpoints', 'delete', 'by-hand')).stdout).toContain('is deleted')
    expect(await cli('endpoints', 'show', 'by-hand')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('there is no endpoint "by-hand"'),
    })
    const refused = await cli('endpoints', 'create', '--name', 'x', '--image', IMAGE, '--gpu', 'NOPE')
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('Invalid GPU Pool ID: "NOPE"') })
  })

  /** Takes longer than it may the first time. */
  async function startTooLong(): Promise<string> {
    const input = sourceCall('hang_once', HANG_ONCE, { path: join(stack.dataDir, 'hung-once') })
    return (await cli('run', 'by-hand', JSON.stringify({ input, policy: { executionTimeout: 5000 } }), '--async')).stdout.trim()
  }

  async function retryByFilter(id: string, job: string): Promise<void> {
    expect(await stack.api.settled(id, job)).toMatchObject({ status: 'FAILED' })
    const filter = ['--endpoint', 'by-hand', '--status', 'failed', '--since', '1h', '--error', 'executionTimeout']
    await expect.poll(async () => (await cli('retry', ...filter, '--dry-run')).stdout).toBe('this would retry 1 job of by-hand\n')
    expect((await cli('retry', ...filter, '--yes')).stdout).toBe('1 job queued again\n')
    expect(await stack.api.settled(id, job)).toMatchObject({ status: 'COMPLETED' })
  }

  async function followThroughARestart(id: string): Promise<void> {
    const logs = followCli(['logs', '-f', 'by-hand'], stack.env)
    const events = followCli(['events', '-f', 'by-hand', '--about', 'jobs'], stack.env)
    const jobs = followCli(['jobs', 'by-hand', '--watch', '--json'], stack.env)
    const speak = (word: string) => stack.api.runsync(id, sourceCall('speak', SPEAK, { word }))
    await logs.until('start container')
    await events.until('job settled')
    await speak('aloud')
    await logs.until('spoken aloud')
    await stack.gateway.kill()
    await stack.gateway.start()
    const last = await stack.api.run(id, sourceCall('speak', SPEAK, { word: 'again' }))
    await logs.until('spoken again')
    await events.until(last)
    await jobs.until(last)
    expect(await Promise.all([logs, events, jobs].map((each) => each.stop()))).toEqual([0, 0, 0])
    for (const word of ['aloud', 'again']) expect(logs.seen().split(`spoken ${word}`)).toHaveLength(2)
  }

  test('the CLI makes, lists, limits, rotates and revokes keys of any owner over the routes', async () => {
    const made = await cli('keys', 'create', '--name', 'lead', '--owner', 'vision', '--expires', '90d', '--workers', '3')
    expect(made.stdout).toMatch(/^rpa_[0-9A-Za-z]{32}\n$/)
    expect(made.stderr).toMatch(/^lead \([0-9a-f]{8}\) of owner vision is made, valid until .* UTC\. The key is shown this once:\n$/)
    const asLead = { ...stack.env, RUNPOD_API_KEY: made.stdout.trim() }
    await runCli(['keys', 'create', '--name', 'ci', '--scope', 'run, view'], asLead)
    const listed = (await cli('keys', 'list')).stdout
    expect(listed).toMatch(/ owner +bootstrap [^]* vision +lead +admin .* 3 workers\n.* vision +ci +run,view /)
    expect((await cli('keys', 'limit', 'ci', '--queued', '500')).stdout).toMatch(/ 500 queued jobs\n$/)
    await cli('keys', 'rotate', 'lead')
    expect(await runCli(['keys', 'revoke', 'ci'], asLead)).toMatchObject({ code: 1, stderr: expect.stringContaining('API key') })
    for (const name of ['lead', 'ci']) expect((await cli('keys', 'revoke', name)).stdout).toMatch(/ is revoked\n$/)
  })

  test('an image with its own handler waits for a Docker host, which status, health and CLI report', async () => {
    await cli('endpoints', 'create', '--name', 'foreign', '--image', 'mine/worker:1', '--cpu', 'cpu3c-2-4')
    const id = (await stack.api.endpoints()).find(({ name }) => name === 'foreign')?.id ?? ''
    const jobId = await stack.api.run(id, {})
    const sentence = 'the image mine/worker:1 brings its own handler, which needs a Docker host'
    await waitFor('the job to say why it waits', async () => JSON.stringify(await stack.api.status(id, jobId)).includes(sentence))
    await expect
      .poll(() => stack.api.health(id), { timeout: 60_000 })
      .toMatchObject({ workers: { throttled: 1 }, reason: 'no_container_host' })
    const shown = await cli('endpoints', 'show', 'foreign')
    expect(shown.stdout).toContain(sentence)
    expect(await cli('endpoints', 'delete', id)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('has jobs that would be cancelled (1 waiting)'),
    })
    await cli('endpoints', 'delete', id, '--yes')
  })
})
