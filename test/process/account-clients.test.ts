// What unmodified clients do with an account: secrets (sdk2-api §3.7), login with an approval in a real browser (flash-api §1.2, sdk2-api §1.5), and every
// tool of Runpod's MCP server 4.0.0 that reads.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openBrowser } from '../harness/browser.ts'
import { startChild, tryCommand } from '../harness/child.ts'
import { runCli } from '../harness/cli.ts'
import { startMcp, type Mcp } from '../harness/mcp.ts'
import { makeProject, pythonEnv } from '../harness/python.ts'
import { startStack, type Stack } from '../harness/stack.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { venvPath } from '../harness/venvs.ts'
import { waitFor } from '../harness/wait.ts'
import { READ_MODE, sourceCall, valueOf } from '../suites/calls.ts'

const VALUE = 'sesame-4711'

await suiteThatNeeds(['redis', 'venv:runpod-2.0', 'venv:flash-1.21', 'browser'], 'clients of an account', () => {
  const scope = new AsyncDisposableStack()
  let stack: Stack
  let mcp: Mcp

  beforeAll(async () => {
    stack = scope.adopt(await startStack({ host: 'process' }), (started) => started.stop())
    mcp = scope.use(await startMcp(stack))
  })
  afterAll(() => scope.disposeAsync())

  test('rp adds, lists and deletes secrets; a worker gets the value, and nothing of Runyard shows it', async () => {
    await using project = await makeProject([])
    const env = pythonEnv('runpod-2.0', project.dir, stack.env)
    const rp = (...words: readonly string[]) =>
      tryCommand(`${venvPath('runpod-2.0')}/bin/rp`, words, { cwd: project.dir, env, input: 'y\n' })
    const endpoint = await stack.api.saveEndpoint({ name: 'reader', env: { MODE: 'Bearer {{ RUNPOD_SECRET_token }}' } })
    const job = await stack.api.run(endpoint, sourceCall('read_mode', READ_MODE))
    const waiting = await waitFor('the job to say what it lacks', async () => {
      const { json } = await stack.api.get(`/v2/${endpoint}/status/${job}`)
      return json['queueReason'] === 'secret_missing' ? json : undefined
    })
    expect(waiting['queueMessage']).toContain('The secret "token" that the environment variable "MODE" names does not exist')
    expect(await rp('secret', 'add', 'token', '--value', VALUE)).toMatchObject({ code: 0 })
    const { output } = await stack.api.settled(endpoint, job)
    expect(valueOf(output)).toEqual({ mode: `Bearer ${VALUE}` })
    const listed = await rp('secret', 'list')
    expect([listed.code, listed.stdout]).toEqual([0, expect.stringContaining('token')])
    const set = await runCli(['secrets', 'set', 'token', '--description', 'of the hub'], stack.env, `${VALUE}-2\n`)
    expect([set.code, set.stdout]).toEqual([0, expect.stringContaining('workers that start from now on')])
    const said = await Promise.all([
      runCli(['secrets', 'list', '--json'], stack.env),
      runCli(['endpoints', 'show', 'reader', '--json'], stack.env),
      runCli(['explain', endpoint], stack.env),
      runCli(['logs', endpoint], stack.env),
    ])
    expect(said.map(({ code }) => code)).toEqual([0, 0, 0, 0])
    const events = (await stack.api.get(`/v2/serverless/${endpoint}/events`)).text
    const shown = [...said.flatMap(({ stdout, stderr }) => [stdout, stderr]), listed.stdout, events, stack.logs()].join('\n')
    expect(shown).toContain('of the hub')
    expect(shown).not.toContain(VALUE)
    expect(await rp('secret', 'delete', 'token', '--yes')).toMatchObject({ code: 0 })
    expect((await runCli(['secrets', 'list'], stack.env)).stdout).toContain('no secrets yet')
  })

  test.each([
    ['rp login', 'runpod-2.0', ['login', '--no-open']],
    ['flash login', 'flash-1.21', ['login', '--no-open']],
  ] as const)('%s gets a key of its own once a browser has approved it', async (name, venv, words) => {
    await using project = await makeProject([])
    const { RUNPOD_API_KEY: _none, ...urls } = stack.env
    const env = pythonEnv(venv, project.dir, urls)
    const client = startChild({
      name,
      command: `${venvPath(venv)}/bin/${name.split(' ')[0]}`,
      args: words,
      env: { ...env, COLUMNS: '400' },
      cwd: project.dir,
    })
    const url = await waitFor('the address of the page', () => /http:\S+\/flash\/login\?request=[\w-]{32}/u.exec(client.output())?.[0])
    await using ours = new AsyncDisposableStack()
    const page = await (await openBrowser(ours)).newPage()
    const complaints: string[] = []
    page.on('console', (message) => complaints.push(message.text()))
    await page.goto(url)
    await page.locator('input[name=key]').fill('rpa_wrong')
    await page.getByRole('button', { name: 'Approve' }).click()
    await page.getByRole('alert').waitFor()
    await page.locator('input[name=key]').fill(stack.key)
    await page.getByRole('button', { name: 'Approve' }).click()
    await page.getByRole('heading', { name: 'Approved' }).waitFor()
    await client.exited
    expect(client.output()).toMatch(/logged in/iu)
    const config = await readFile(join(project.dir, '.home', '.runpod', 'config.toml'), 'utf8')
    const key = /rpa_\w+/u.exec(config)?.[0] ?? ''
    expect(key).not.toBe(stack.key)
    expect((await stack.api.request('/v2/serverless', { key })).status).toBe(200)
    // The browser says that a wrong key was answered 401, and nothing of the page's policy.
    expect(complaints.filter((text) => !text.includes('401'))).toEqual([])
  })

  const EMPTY = { items: [] }
  test.each([
    ['list-endpoints', {}, { items: expect.any(Array) }],
    ['list-templates', {}, { templates: [] }],
    ['list-registries', {}, { registries: [] }],
    ['list-network-volumes', {}, { networkVolumes: [] }],
    ['list-gpu-types', {}, { gpus: expect.any(Array) }],
    ['get-gpu-type', { id: 'NVIDIA L4' }, { id: 'NVIDIA L4' }],
    ['list-cpu-types', {}, { cpus: expect.any(Array) }],
    ['get-cpu-type', { id: 'cpu3g' }, { id: 'cpu3g', ramGbPerVcpu: 4 }],
    ['list-data-centers', {}, { dataCenters: [expect.objectContaining({ id: expect.any(String) })] }],
    ['list-public-templates', {}, { templates: [] }],
    ['list-public-endpoints', {}, EMPTY],
    ['list-hub-repos', {}, EMPTY],
    ['get-capacity', {}, { items: expect.any(Array) }],
    ['list-pods', {}, { pods: [] }],
    ['list-clusters', {}, { clusters: [] }],
    ['list-delegations', {}, { delegations: [] }],
    ['get-ssh-keys', {}, { keys: [] }],
    ['update-ssh-keys', { body: { keys: ['ssh-ed25519 AAAA me'] } }, { keys: ['ssh-ed25519 AAAA me'] }],
    ['list-billing', { lastN: 2 }, { records: expect.any(Array), metadata: { totals: { totalAmount: 0 } } }],
    ['list-serverless-billing', {}, { records: expect.any(Array) }],
    ['list-pod-billing', {}, { records: [] }],
    ['list-endpoint-billing', {}, { records: [] }],
    ['list-network-volume-billing', {}, { records: [] }],
    ['list-cluster-billing', {}, { records: [] }],
  ] as const)('the MCP server’s %s is answered', async (tool, args, answer) => {
    expect(await mcp.call(tool, args)).toMatchObject(answer)
  })

  const ENDPOINT = {
    name: 'made',
    type: 'QUEUE',
    image: 'me/worker:1',
    gpu: { pools: ['ADA_24'] },
    workers: { min: 0, max: 1 },
    scaling: { type: 'QUEUE_DELAY', queueDelay: 4 },
  }
  test.each([
    ['template', { name: 'made', image: 'me/worker:1', serverless: true }, { readme: 'more' }],
    ['network-volume', { name: 'made', size: 10, dataCenter: 'EU-RO-1' }, { name: 'other' }],
    ['endpoint', ENDPOINT, { workers: { min: 0, max: 2 } }],
  ] as const)('the MCP server makes, reads, changes and removes a resource: %s', async (kind, body, change) => {
    const { id } = await mcp.call(`create-${kind}`, { body })
    expect(await mcp.call(`get-${kind}`, { id })).toMatchObject({ id, name: 'made' })
    expect(await mcp.call(`update-${kind}`, { id, body: change })).toMatchObject({ id, ...change })
    expect(await mcp.call(`delete-${kind}`, { id })).toEqual({ status: 204 })
  })

  test('the MCP server makes and removes a registry, and reads the workers, releases and GPUs of an endpoint', async () => {
    const registry = await mcp.call('create-registry', { body: { name: 'made', username: 'u', password: 'p' } })
    expect(await mcp.call('get-registry', { id: registry['id'] })).toMatchObject({ name: 'made' })
    expect(await mcp.call('delete-registry', { id: registry['id'] })).toEqual({ status: 204 })
    const { id } = await mcp.call('create-endpoint', { body: ENDPOINT })
    expect(await mcp.call('list-endpoint-workers', { id })).toMatchObject({ workers: [] })
    expect(await mcp.call('list-endpoint-releases', { id })).toMatchObject({ releases: [expect.objectContaining({ version: 1 })] })
    expect(await mcp.call('list-endpoint-builds', { id })).toMatchObject({ builds: [] })
    await mcp.call('set-endpoint-gpus', { endpointId: id, pools: ['AMPERE_24'] })
    expect(await mcp.call('get-endpoint', { id })).toMatchObject({ gpu: { pools: ['AMPERE_24'] } })
    expect(await mcp.call('delete-endpoint', { id })).toEqual({ status: 204 })
  })

  test.each([
    ['create-pod', { body: { name: 'p', image: 'x' } }, 'Pods are not served here'],
    ['get-pod', { id: 'x1' }, 'Pod "x1" was not found.'],
    ['get-cluster', { id: 'x1' }, 'Clusters are not served here'],
    ['revoke-delegation', { id: 'x1' }, 'Registries cannot be delegated here'],
  ] as const)('the MCP server’s %s is refused with one sentence', async (tool, args, sentence) => {
    expect(await mcp.call(tool, args)).toMatchObject({ detail: expect.stringContaining(sentence) })
  })
})
