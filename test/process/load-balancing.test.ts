// Load-balanced endpoints on the process host: live code of both SDK generations, held from zero workers, called by real clients by path and by Host over
// TLS with Runyard's CA, from a page in a browser, down to zero again.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findFreePort } from '@runyard/testing/free-port'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startBlankPage, type BlankPage } from '../harness/browser.ts'
import { startCaddy } from '../harness/caddy.ts'
import { runCommand, tryCommand } from '../harness/child.ts'
import { runCli } from '../harness/cli.ts'
import { makeProject, pythonEnv } from '../harness/python.ts'
import { startStack, type Stack } from '../harness/stack.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { venvPath, venvPython } from '../harness/venvs.ts'

const PROGRAMS = join(import.meta.dirname, '..', 'programs')

const API = `
import asyncio
from fastapi import FastAPI, WebSocket
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

    gate = asyncio.Event()

    @served.get("/gated")
    async def gated():
        async def parts():
            yield "data: 0\\n\\n"
            await gate.wait()
            gate.clear()
            yield "data: 1\\n\\ndata: 2\\n\\n"
        return StreamingResponse(parts(), media_type="text/event-stream")

    @served.post("/open")
    async def open_gate():
        gate.set()

    @served.websocket("/talk")
    async def talk(socket: WebSocket):
        await socket.accept()
        await socket.send_text("heard " + await socket.receive_text())

    return served
`

const WAIT =
  'def wait(path):\n    import os, time\n    while not os.path.exists(path):\n        time.sleep(0.05)\n    return {"waited": path}\n'
const ADD = 'def add(a, b):\n    return {"sum": a + b}\n'

await suiteThatNeeds(
  ['redis', 'browser', 'venv:flash-1.21', 'venv:runpod-2.0', 'venv:caddy'],
  'load-balanced endpoints on the process host',
  () => {
    let stack: Stack
    let tlsPort: number
    let page: BlankPage
    beforeAll(async () => {
      tlsPort = await findFreePort()
      page = await startBlankPage()
      stack = await startStack({ host: 'process', settings: { RUNYARD_TLS_PORT: `${tlsPort}`, RUNYARD_CORS_ORIGINS: page.origin } })
    })
    afterAll(async () => {
      await page?.[Symbol.asyncDispose]()
      await stack?.stop()
    })
    const authority = (name: 'ca' | 'bundle'): string => join(stack.dataDir, 'tls', `${name}.pem`)

    async function saveBalanced(name: string, image: string, idleTimeout = 60): Promise<string> {
      const template = { name, imageName: image, containerDiskInGb: 10, dockerArgs: '', env: [] }
      const scaling = { workersMin: 0, workersMax: 2, idleTimeout, scalerType: 'REQUEST_COUNT', scalerValue: 4 }
      const input = { name, type: 'LB', instanceIds: ['cpu3c-1-2'], networkVolumeIds: [], ...scaling, template }
      const data = await stack.api.graphql('mutation saveEndpoint($input: EndpointInput!) { saveEndpoint(input: $input) { id } }', {
        input,
      })
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

    test('a second worker starts for requests in flight, and for requests per second while one at a time is in flight', async () => {
      const byCount = await saveBalanced('by-count', 'runpod/flash-lb-cpu:py3.12-latest')
      const byRate = await saveBalanced('by-rate', 'runpod/flash-lb-cpu:py3.12-latest')
      const rate = { method: 'PATCH', body: { requestsPerSecond: 0.2 } }
      expect((await stack.api.request(`/v2/serverless/${byRate}`, rate)).json).toMatchObject({ requestsPerSecond: 0.2 })

      const gate = join(stack.dataDir, 'gate')
      const waiting = { function_name: 'wait', function_code: WAIT, kwargs: { path: gate }, serialization_format: 'json' }
      const inFlight = Array.from({ length: 5 }, () => stack.api.post(`/lb/${byCount}/execute`, waiting))
      await expect.poll(() => stack.api.workersSeen(byCount), { timeout: 100_000 }).toBe(2)
      await writeFile(gate, '')
      for (const reply of await Promise.all(inFlight)) expect(reply).toMatchObject({ status: 200, json: { json_result: { waited: gate } } })

      const adding = { function_name: 'add', function_code: ADD, kwargs: { a: 2, b: 3 }, serialization_format: 'json' }
      const answeredBy = new Set<string | null>()
      await expect
        .poll(
          async () => {
            const reply = await stack.api.post(`/lb/${byRate}/execute`, adding)
            return answeredBy.add(reply.headers.get('x-runpod-worker-id')).size
          },
          { timeout: 100_000, interval: 200 },
        )
        .toBe(2)
    })

    const doubled = { value: 42 }
    const stream = ['data: 0', 'data: 1', 'data: 2']
    const heard = 'heard hello'
    const python = { httpx: doubled, requests: doubled, aiohttp: [doubled, heard], websockets: [heard, heard, 'runyard'], stream }

    /** What the clients of Python find at both addresses. */
    async function callFromPython(bases: readonly [string, string], bundle: string): Promise<unknown> {
      await using project = await makeProject(['lb_clients.py'])
      const trust = { SSL_CERT_FILE: bundle, REQUESTS_CA_BUNDLE: bundle }
      // Not as a fork: what it imports reads the authorities.
      const printed = await runCommand(venvPython('flash-1.21'), ['-u', 'lb_clients.py', ...bases], {
        cwd: project.dir,
        env: pythonEnv('flash-1.21', project.dir, { ...stack.env, ...trust }),
        timeoutMs: 200_000,
      })
      return JSON.parse(printed.slice(printed.indexOf('@@ ') + 3))
    }

    test('an api of SDK 2 gets its source once and serves httpx, requests, aiohttp, fetch, WebSockets and a page by TLS, also behind Caddy', async () => {
      const id = await saveBalanced('dev-lb-doubling', 'runpod/api:py3.12-latest')
      expect((await stack.api.post(`/lb/${id}/_runpod/sync`, { source: API, resource: 'doubling' })).json).toMatchObject({
        status: 'synced',
      })
      const host = `${id}.api.localhost:${tlsPort}`
      const byPath = `https://localhost:${tlsPort}/lb/${id}`
      expect(await callFromPython([byPath, `https://${host}`], authority('bundle'))).toEqual({ path: python, host: python })

      const printed = await runCli(['ca', '--data', stack.dataDir], stack.env)
      expect(printed.stdout.trim()).toBe(authority('ca'))
      expect(printed.stderr).toMatch(/^trust it on this machine: sudo cp .*ca\.pem.* && sudo update-ca-certificates$/mu)

      // The same behind a proxy that ends TLS, below a path and by Host.
      await using caddy = await startCaddy(stack.url)
      const behind = [`${caddy.base}/lb/${id}`, `https://${id}.api.localhost:${caddy.port}`] as const
      expect(await callFromPython(behind, caddy.authority)).toEqual({ path: python, host: python })

      const env = { ...stack.env, NODE_EXTRA_CA_CERTS: authority('ca') }
      const node = await runCommand(process.execPath, [join(PROGRAMS, 'lb-client.ts'), byPath], { env })
      const inNode = { fetch: doubled, stream, socket: [heard, 'runyard'] }
      expect(JSON.parse(node)).toEqual(inNode)
      expect(await page.call({ base: `https://${host}`, key: stack.key, authority: await readFile(authority('ca'), 'utf8') })).toEqual(
        inNode,
      )

      expect((await stack.api.post(`/lb/${id}/double`, [1])).status).toBe(422)
      expect((await stack.api.get(`/lb/${id}/nosuch`)).status).toBe(404)
    })

    test('`rp flash dev` calls the routes of a class and of a FastAPI app and runs a task by https, shows its output, and leaves nothing', async () => {
      await using project = await makeProject(['rp_api.py'])
      const tls = { RUNPOD_ENDPOINT_BASE_URL: `https://api.localhost:${tlsPort}/v2`, SSL_CERT_FILE: authority('bundle') }
      const before = (await stack.api.endpoints()).length
      const result = await tryCommand(`${venvPath('runpod-2.0')}/bin/rp`, ['flash', 'dev', 'rp_api.py', '--once'], {
        cwd: project.dir,
        env: pythonEnv('runpod-2.0', project.dir, { ...stack.env, ...tls }),
        timeoutMs: 120_000,
      })
      const line = result.stdout.split('\n').find((text) => text.includes('@@ '))
      if (line === undefined) throw new Error(`rp ended with ${result.code}:\n${result.stdout}\n${result.stderr}`)
      const found: unknown = JSON.parse(line.slice(line.indexOf('@@ ') + 3))
      const trained = { number: 42, pod: expect.stringMatching(/^[a-z0-9]{14}$/u), endpoints: before + 2 }
      expect(found).toEqual({ counted: [{ calls: 1 }, { calls: 3 }], names: ['a', 'b'], item: { value: 21 }, trained })
      expect(result.stdout).toContain('training on 21')
      expect(result.code).toBe(0)
      expect((await stack.api.endpoints()).length).toBe(before)
      expect((await stack.api.get('/v2/pods')).json).toMatchObject({ pods: [] })
    })
  },
)
