// The worker of a load-balanced endpoint: its server, its health, and its tunnels, with the real agent process and a gateway that asks for a port.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { flashCall, pickled, processesMarked, startWorker, unpickled, type TestWorker } from './testing/worker.ts'

let plane: Server
let url: string
let spare: Socket[]
let pings: string[]
let worker: TestWorker

beforeEach(async () => {
  spare = []
  pings = []
  plane = createServer((incoming, response) => {
    if (incoming.url?.includes('/ping/') === true) pings.push(incoming.url)
    response.end('{}')
  })
  plane.on('upgrade', (incoming, socket: Socket) => {
    if (incoming.headers.upgrade !== 'runyard-tunnel' || incoming.headers.authorization !== 'worker-token') {
      socket.destroy()
      return
    }
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: runyard-tunnel\r\n\r\n')
    socket.on('error', () => undefined).on('end', () => socket.end())
    socket.on('close', () => spare.splice(0, spare.length, ...spare.filter((one) => one !== socket))).resume()
    spare.push(socket)
  })
  await new Promise<void>((resolve) => plane.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(plane.address() as AddressInfo).port}`
})

afterEach(async () => {
  await worker[Symbol.asyncDispose]()
  plane.closeAllConnections()
  for (const socket of spare) socket.destroy()
  plane.close()
})

interface Asking {
  readonly port?: number
  readonly token?: string
}

async function ask(
  path: string,
  body?: unknown,
  { port = 80, token }: Asking = {},
): Promise<{ status: number; json: Record<string, unknown>; text: string }> {
  await vi.waitUntil(() => spare.length > 0, { timeout: 60_000 })
  const socket = spare.pop() as Socket
  const name = Buffer.alloc(2)
  name.writeUInt16BE(port)
  const answered = new Promise<Buffer>((resolve) => socket.once('data', resolve))
  socket.write(name)
  if ((await answered)[0] !== 0) return { status: 0, json: {}, text: 'refused' }
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        createConnection: () => socket,
        path,
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          connection: 'close',
          'content-type': 'application/json',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
      },
      (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text, json: text.startsWith('{') ? JSON.parse(text) : {} }))
      },
    )
    sent.on('error', reject).end(body === undefined ? undefined : JSON.stringify(body))
  })
}

const serving = (env: Record<string, string>) => startWorker(url, { env: { RUNYARD_SERVES: 'http', PORT: '80', ...env } })
/** A server of the image's own: it needs nothing but Python. */
const OWN = `
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/exit": os._exit(3)
        begins = sys.argv[1] + ".begins"
        if self.path == "/ping" and os.path.exists(begins):
            with open(begins, "a") as file: print("asked", file=file)
            self.send_response(204); return self.end_headers()
        body = b"sick" if os.path.exists(sys.argv[1]) and self.path == "/ping" else b"own " + self.path.encode()
        self.send_response(503 if body == b"sick" else 200); self.send_header("Content-Length", str(len(body))); self.end_headers()
        self.wfile.write(body)
    def log_message(self, *words): print("served", words[1], flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
`

function startOwn(more: Record<string, string> = {}, begins = false): { sick: string; begins: string } {
  const directory = mkdirTemp()
  const [program, sick] = [join(directory, 'own.py'), join(directory, 'sick')]
  writeFileSync(program, OWN)
  if (begins) writeFileSync(`${sick}.begins`, '')
  worker = serving({ RUNYARD_COMMAND: JSON.stringify(['python3', program, sick]), RUNYARD_SCRATCH_DIR: directory, ...more })
  return { sick, begins: `${sick}.begins` }
}

let made = 0
function mkdirTemp(): string {
  const directory = join(process.env['TMPDIR'] ?? '/tmp', `runyard-server-${process.pid}-${(made += 1)}`)
  mkdirSync(directory, { recursive: true })
  return directory
}

describe('a server of the image’s own', () => {
  it('is reached by the port that it declares, whatever port it got, and reports that it is ready', async () => {
    startOwn()
    expect(await ask('/a?b')).toMatchObject({ status: 200, text: 'own /a?b' })
    expect(await ask('/a', undefined, { port: 22 })).toMatchObject({ text: 'refused' })
    await vi.waitUntil(() => pings.length > 0)
    await worker.printed('served')
  })

  it('is initializing while it answers 204, for longer than it may be silent', async () => {
    const { begins } = startOwn({ RUNYARD_READY_WITHIN_S: '5' }, true)
    // It is asked ten times a second.
    await vi.waitUntil(() => readFileSync(begins, 'utf8').split('\n').length > 60)
    expect([spare, pings]).toEqual([[], []])
    rmSync(begins)
    expect(await ask('/a')).toMatchObject({ status: 200 })
  })

  it('that does not listen at its port ends its worker, which says where it looked', async () => {
    startOwn({ HEALTH_CHECK_PATH: '/elsewhere', RUNYARD_COMMAND: JSON.stringify(['sleep', '60']), RUNYARD_READY_WITHIN_S: '0.2' })
    expect(await worker.ended).toBe(1)
    expect(worker.output()).toContain('the server is not ready after 0.2 s: on port 80 at /elsewhere nothing answers, and it must be 200')
  })

  it('gets no tunnels while it is not healthy', async () => {
    const { sick } = startOwn()
    await vi.waitUntil(() => spare.length === 2)
    writeFileSync(sick, '')
    await worker.printed('gets no requests')
    await vi.waitFor(() => expect(spare).toEqual([]))
  })

  it('that ends takes the worker with it, with a sentence', async () => {
    startOwn()
    await ask('/exit').catch(() => undefined)
    expect(await worker.ended).toBe(1)
    expect(worker.output()).toContain('the server ended by itself (exit code 3)')
  })

  it('ends with its worker', async () => {
    startOwn()
    await ask('/a')
    worker.process.kill('SIGTERM')
    expect(await worker.ended).toBe(0)
    expect(processesMarked(worker.directory)).toEqual([])
  })
})

describe('live code', () => {
  it('of Flash runs by /execute', async () => {
    worker = serving({ RUNYARD_ENVELOPE: 'flash', RUNYARD_SCRATCH_DIR: mkdirTemp() })
    expect(await ask('/ping')).toMatchObject({ status: 200, json: { status: 'healthy' } })
    const call = flashCall('add', 'async def add(a, b):\n    return a + b\n', { args: [pickled('2')], kwargs: { b: pickled('3') } })
    const { status, json } = await ask('/execute', call)
    expect(status).toBe(200)
    expect(json).toMatchObject({ success: true })
    expect(unpickled(String(json['result']))).toBe('5')
    const failed = await ask('/execute', flashCall('f', 'def f():\n    raise ValueError("no")\n'))
    expect(failed.json).toMatchObject({ success: false, error: expect.stringContaining('no') })
    expect((await ask('/other')).status).toBe(404)
  })
})

/** The surface of the SDK that an api uses, so that nothing is installed. */
const API = `
class Spec:
    def __init__(self, name, routes): self.name, self.routes = name, routes
class Route:
    def __init__(self, method, path, handler_name): self.method, self.path, self.handler_name = method, path, handler_name
class Handle:
    _asgi_factory, _init_name = None, "begin"
    def __init__(self, cls, routes): self._cls, self.spec = cls, Spec("counting", routes)
class Counting:
    def begin(self): self.calls = 10
    def count(self, body):
        self.calls += body["by"]
        return {"calls": self.calls}
    async def names(self): return ["a", "b"]
counting = Handle(Counting, [Route("POST", "/count", "count"), Route("GET", "/names", "names")])
`

describe('an api of SDK 2 in a dev session', () => {
  it('serves the methods of a class once it has got the source, and keeps its state when it gets the same again', async () => {
    worker = serving({ RUNYARD_ENVELOPE: 'json', RUNYARD_SCRATCH_DIR: mkdirTemp() })
    expect((await ask('/count', { by: 1 })).status).toBe(404)
    const sync = { source: API, resource: 'counting' }
    expect((await ask('/_runpod/sync', sync)).json).toMatchObject({ status: 'synced', hash: expect.any(String) })
    expect((await ask('/count', { by: 1 })).json).toEqual({ calls: 11 })
    expect((await ask('/_runpod/sync', sync)).status).toBe(200)
    expect((await ask('/count', { by: 2 })).json).toEqual({ calls: 13 })
    expect(await ask('/names')).toMatchObject({ status: 200, text: '["a", "b"]' })
    expect((await ask('/names', {})).status).toBe(405)
    expect((await ask('/_runpod/sync', { source: 'x = ', resource: 'counting' })).status).toBe(500)
    expect((await ask('/count', { by: 1 })).json).toEqual({ calls: 14 })
  })
})

describe('a task', () => {
  const TOKEN = 'task-token'
  const begin = (more: Record<string, string> = {}) => {
    worker = serving({ RUNYARD_ENVELOPE: 'task', RUNPOD_TASK_TOKEN: TOKEN, RUNYARD_SCRATCH_DIR: mkdirTemp(), ...more })
  }
  const call = (code: string, more: Record<string, unknown> = {}) => ({
    function_name: 'f',
    function_code: code,
    args: [],
    kwargs: {},
    serialization_format: 'json',
    ...more,
  })
  const own = (path: string, body?: unknown) => ask(path, body, { token: TOKEN })

  it('is asked by its token, runs one call, and keeps the result', async () => {
    begin()
    expect(await ask('/ping')).toMatchObject({ status: 200, json: { ready: true } })
    expect((await ask('/result')).status).toBe(401)
    expect((await own('/nothing')).status).toBe(404)
    expect((await own('/submit', 'text')).status).toBe(400)
    expect((await own('/submit', call('def f(): return 1', { timeout: -1 }))).status).toBe(400)
    const slow = 'import time\ndef f():\n    time.sleep(6)\n    return {"a": 1}\n'
    expect(await own('/submit', call(slow, { timeout: 60 }))).toMatchObject({ status: 200, json: { status: 'RUNNING', timeout: 60 } })
    expect((await own('/submit', call(slow))).status).toBe(409)
    expect((await own('/result')).json).toEqual({ status: 'RUNNING', response: null })
    expect((await own('/timeout', { timeout: 30 })).json).toEqual({ timeout: 30 })
    await vi.waitFor(async () => expect((await own('/result')).json['status']).toBe('DONE'), { timeout: 60_000 })
    expect((await own('/result')).json).toEqual({ status: 'DONE', response: { success: true, json_result: { a: 1 }, stdout: '' } })
    const given = { args: [pickled('b"bytes"')], kwargs: { times: pickled('2') }, serialization_format: undefined }
    const { json } = await own('/execute', call('def f(text, times):\n    return text * times\n', given))
    expect(unpickled(String(json['result']))).toBe("b'bytesbytes'")
    const failed = await own('/execute', call('def f():\n    raise ValueError("no")\n'))
    expect(failed.json).toMatchObject({ success: false, error: expect.stringContaining('no') })
    expect((await own('/execute', call('def f():\n    yield 1\n    yield 2\n'))).json).toMatchObject({ json_result: [1, 2] })
  })

  it.each([
    ['past its deadline', {}, true, 'longer than its timeout'],
    ['that gets no request', { RUNPOD_TASK_IDLE_TIMEOUT: '1' }, false, 'no request has come'],
  ])('%s ends its worker', async (_what, env, submits, sentence) => {
    begin(env)
    if (submits) await own('/submit', call('import time\ndef f():\n    time.sleep(600)\n', { timeout: 0.5 }))
    expect(await worker.ended).toBe(1)
    expect(worker.output()).toContain(sentence)
  })

  it('does not start without its token', async () => {
    begin({ RUNPOD_TASK_TOKEN: '' })
    expect(await worker.ended).toBe(1)
    expect(worker.output()).toContain('RUNPOD_TASK_TOKEN is not set')
  })
})

describe('a deployed app', () => {
  function build(handler: string): string {
    const directory = mkdirTemp()
    writeFileSync(join(directory, 'handler_api.py'), handler)
    return directory
  }
  const start = (handler: string) => {
    const env = { RUNYARD_ENVELOPE: 'deployed-flash', RUNPOD_PREBUILT_APP_DIR: build(handler), FLASH_RESOURCE_NAME: 'api' }
    worker = serving({ ...env, RUNYARD_SCRATCH_DIR: mkdirTemp() })
  }

  it('of Flash serves its routes, with a /ping where it has none', async () => {
    start(
      'from fastapi import FastAPI\napp = FastAPI()\n@app.post("/double")\ndef double(body: dict):\n    return {"value": body["x"] * 2}\n',
    )
    expect(await ask('/double', { x: 21 })).toMatchObject({ status: 200, json: { value: 42 } })
    expect((await ask('/double', [1])).status).toBe(422)
    expect(await ask('/ping')).toMatchObject({ status: 200 })
  })

  it('that cannot be loaded answers each request with the reason', async () => {
    start('raise RuntimeError("no weights")\n')
    const { status, text } = await ask('/double', {})
    expect(status).toBe(500)
    expect(text).toContain('no weights')
  })
})
