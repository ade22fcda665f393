// Load-balanced endpoints on the process host: live code of both SDK generations, held from zero workers, called by real clients, down to zero again.
import { join } from 'node:path'
import { findFreePort } from '@runyard/testing/free-port'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { tryCommand } from '../harness/child.ts'
import { makeProject, pythonEnv, runPython } from '../harness/python.ts'
import { startStack, type Stack } from '../harness/stack.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { venvPath } from '../harness/venvs.ts'

const API = `
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from runpod import App

app = App("lb")


@app.api(name="doubling", cpu="cpu3c-1-2")
def doubling():
    served = FastAPI()

    @served.post("/double")
    def double(body: dict):
        return {"value": body["x"] * 2}

    @served.get("/stream")
    def stream():
        return StreamingResponse((f"data: {n}\\n\\n" for n in range(3)), media_type="text/event-stream")

    return served
`

const ADD = 'def add(a, b):\n    return {"sum": a + b}\n'

await suiteThatNeeds(['redis', 'venv:flash-1.21', 'venv:runpod-2.0'], 'load-balanced endpoints on the process host', () => {
  let stack: Stack
  let tlsPort: number
  beforeAll(async () => {
    tlsPort = await findFreePort()
    stack = await startStack({ host: 'process', settings: { RUNYARD_TLS_PORT: `${tlsPort}` } })
  })
  afterAll(() => stack?.stop())

  async function saveBalanced(name: string, image: string, idleTimeout = 60): Promise<string> {
    const template = { name, imageName: image, containerDiskInGb: 10, dockerArgs: '', env: [] }
    const scaling = { workersMin: 0, workersMax: 2, idleTimeout, scalerType: 'REQUEST_COUNT', scalerValue: 4 }
    const input = { name, type: 'LB', instanceIds: ['cpu3c-1-2'], networkVolumeIds: [], ...scaling, template }
    const data = await stack.api.graphql('mutation saveEndpoint($input: EndpointInput!) { saveEndpoint(input: $input) { id } }', { input })
    return (data['saveEndpoint'] as { id: string }).id
  }

  test('a call of live Flash code waits for the first worker, and the endpoint scales to zero again', async () => {
    const id = await saveBalanced('live-adding', 'runpod/flash-lb-cpu:py3.12-latest', 1)
    const call = { function_name: 'add', function_code: ADD, kwargs: { a: 2, b: 3 }, serialization_format: 'json' }
    const reply = await stack.api.post(`/lb/${id}/execute`, call)
    expect(reply).toMatchObject({ status: 200, json: { success: true, json_result: { sum: 5 } } })
    expect(reply.headers.get('x-runpod-worker-id')).toMatch(/^\w+$/)
    await stack.api.untilZero(id)
    expect((await stack.api.post(`/lb/${id}/execute`, call)).json).toMatchObject({ json_result: { sum: 5 } })
  })

  test('an api of SDK 2 gets its source once and serves httpx, requests, aiohttp and streams', async () => {
    const id = await saveBalanced('dev-lb-doubling', 'runpod/api:py3.12-latest')
    expect((await stack.api.post(`/lb/${id}/_runpod/sync`, { source: API, resource: 'doubling' })).json).toMatchObject({ status: 'synced' })
    const { found } = await runPython({ venv: 'flash-1.21', program: 'lb_clients.py', args: [`${stack.url}/lb/${id}`], env: stack.env })
    const doubled = { value: 42 }
    expect(found).toEqual({ httpx: doubled, requests: doubled, aiohttp: doubled, stream: ['data: 0', 'data: 1', 'data: 2'] })
    expect((await stack.api.post(`/lb/${id}/double`, [1])).status).toBe(422)
    expect((await stack.api.get(`/lb/${id}/nosuch`)).status).toBe(404)
  })

  test('`rp flash dev` calls the routes of a class and of a FastAPI app by https, and leaves no endpoint', async () => {
    await using project = await makeProject(['rp_api.py'])
    const tls = { RUNPOD_ENDPOINT_BASE_URL: `https://api.localhost:${tlsPort}/v2`, SSL_CERT_FILE: join(stack.dataDir, 'tls', 'bundle.pem') }
    const before = (await stack.api.endpoints()).length
    const result = await tryCommand(`${venvPath('runpod-2.0')}/bin/rp`, ['flash', 'dev', 'rp_api.py', '--once'], {
      cwd: project.dir,
      env: pythonEnv('runpod-2.0', project.dir, { ...stack.env, ...tls }),
      timeoutMs: 120_000,
    })
    const line = result.stdout.split('\n').find((text) => text.includes('@@ '))
    if (line === undefined) throw new Error(`rp ended with ${result.code}:\n${result.stdout}\n${result.stderr}`)
    const found: unknown = JSON.parse(line.slice(line.indexOf('@@ ') + 3))
    expect(found).toEqual({ counted: [{ calls: 1 }, { calls: 3 }], names: ['a', 'b'], item: { value: 21 } })
    expect(result.code).toBe(0)
    expect((await stack.api.endpoints()).length).toBe(before)
  })
})
