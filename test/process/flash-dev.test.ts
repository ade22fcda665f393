// `flash dev` (= `flash run`, flash-api §6) on a small project: the routes of its local server run the functions on our workers. On one host:
// the client sees nothing of it.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findFreePort } from '@runyard/testing/free-port'
import { startChild, type Child } from '../harness/child.ts'
import { makeProject, pythonEnv } from '../harness/python.ts'
import { startStack, type Stack } from '../harness/stack.ts'
import { venvPath } from '../harness/venvs.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { waitFor } from '../harness/wait.ts'

await suiteThatNeeds(['redis', 'venv:flash-1.21'], 'flash dev', () => {
  let stack: Stack
  let project: { dir: string } & AsyncDisposable
  let dev: Child
  let url: string

  beforeAll(async () => {
    stack = await startStack({ host: 'process', simulatedGpus: 'NVIDIA GeForce RTX 4090:2' })
    project = await makeProject(['flash_dev_project.py'])
    const port = await findFreePort()
    url = `http://127.0.0.1:${port}`
    const { FLASH_IS_LIVE_PROVISIONING: _, ...env } = stack.env
    dev = startChild({
      name: 'flash dev',
      command: `${venvPath('flash-1.21')}/bin/flash`,
      args: ['dev', '--host', '127.0.0.1', '--port', `${port}`],
      cwd: project.dir,
      env: pythonEnv('flash-1.21', project.dir, env),
    })
    await waitFor('flash dev to listen', async () => (await fetch(`${url}/openapi.json`)).status === 200, { timeoutMs: 60_000 })
  })
  afterAll(async () => {
    await dev?.stop()
    await project?.[Symbol.asyncDispose]()
    await stack?.stop()
  })

  const post = async (path: string, body: unknown): Promise<{ status: number; json: Record<string, unknown> }> => {
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    })
    return { status: response.status, json: (await response.json()) as Record<string, unknown> }
  }

  test('a route of the local server runs its function on one of our workers', async () => {
    const reply = await post('/flash_dev_project/runsync', { input: { number: 21 } })
    expect(reply).toMatchObject({ status: 200, json: { status: 'COMPLETED', output: { doubled: 42 } } })
    const [endpoint] = await stack.api.endpoints()
    expect(endpoint?.name).toBe('live-dev-double')
    expect((reply.json['output'] as Record<string, unknown>)['endpoint']).toBe(endpoint?.id)
  })

  test('an error in the function reaches the HTTP caller', async () => {
    const reply = await post('/flash_dev_project/runsync', { input: { number: -1 } })
    // The local server wraps its own 500 into a COMPLETED body with status 200, so only the text is reliable.
    expect(JSON.stringify(reply.json)).toContain('negative numbers are not doubled')
  })

  test('Ctrl-C deletes the endpoints that it created', async () => {
    dev.signal('SIGINT')
    await dev.exited
    expect(await stack.api.endpoints()).toEqual([])
  })
})
