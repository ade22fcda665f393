// Images of users: the dev loop with a failing start, an image rebuilt under its tag, a save that changes nothing else; an image with an HTTP server of its
// own behind a load-balanced endpoint (ADR 77).
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runCommand, tryCommand } from '../harness/child.ts'
import { ensureHandlerImage } from '../harness/handler-image.ts'
import { startStack, type Stack } from '../harness/stack.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { waitFor } from '../harness/wait.ts'

const TAG = `runyard-test/rebuilt-${process.pid}:latest`
const OWN_SERVER = `runyard-test/own-server-${process.pid}:latest`
const answering = (word: string) => `import runpod; runpod.serverless.start({"handler": lambda job: "${word}"})`

/** Initializing at first; `/slow` answers when the file exists; what it prints is the worker's log. */
const SERVER = `
import http.server, json, os, sys, time
pings = 0
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        global pings
        if self.path == "/health":
            pings += 1
            self.send_response(204 if pings < 5 else 200); self.send_header("Content-Length", "0"); return self.end_headers()
        print("asked for", self.path, flush=True)
        if self.path == "/slow": time.sleep(4)
        seen = {"args": sys.argv[1:], "cwd": os.getcwd(), "uid": os.getuid(), "pings": min(pings, 5), "token": "RUNPOD_AI_API_KEY" in os.environ}
        body = json.dumps(seen).encode()
        self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers(); self.wfile.write(body)
    def log_message(self, *words): pass
http.server.ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler).serve_forever()
`

await suiteThatNeeds(['redis', 'docker', 'worker-image'], 'images that are rebuilt under their tag', () => {
  let stack: Stack
  let base: string
  beforeAll(async () => {
    base = await ensureHandlerImage('1.12.0')
    stack = await startStack({ host: 'docker' })
  }, 600_000)
  afterAll(async () => {
    await stack?.stop()
    await tryCommand('docker', ['image', 'rm', '-f', TAG, OWN_SERVER])
  })

  const buildServer = async () => {
    const command = [`ENTRYPOINT ${JSON.stringify(['python3', '-u', '-c', SERVER])}`, 'CMD ["one"]', 'WORKDIR /srv', 'USER 1000']
    await runCommand('docker', ['build', '-q', '-t', OWN_SERVER, '-'], { input: [`FROM ${base}`, ...command, ''].join('\n') })
  }
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
      const { events } = await stack.api.read<{ events: { kind: string }[] }>(`/v2/serverless/${id}/events`)
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

  test('an image with a server of its own gets requests once it is ready, and a new version after the last answer of the old one', async () => {
    await buildServer()
    const hardware = { cpu: [{ id: 'cpu3c', vcpuCount: 2 }], scaling: { type: 'REQUEST_COUNT', requestCount: 4 } }
    const env = { PORT: '8000', HEALTH_CHECK_PATH: '/health' }
    const wish = { name: 'own', type: 'LOAD_BALANCER', image: OWN_SERVER, ports: ['8000/http'], env, ...hardware }
    const id = String((await stack.api.post('/v2/serverless', wish)).json['id'])
    const first = await stack.api.get(`/lb/${id}/anything`)
    expect(first).toMatchObject({ status: 200, json: { args: ['one'], cwd: '/srv', uid: 1000, pings: 5, token: false } })
    const slow = stack.api.get(`/lb/${id}/slow`)
    const logs = async () => (await stack.api.get(`/hapi/v1/pod/${first.headers.get('x-runpod-worker-id')}/logs`)).text
    await waitFor('the worker to print what it is asked for', async () => (await logs()).includes('asked for /slow'))
    await stack.api.request(`/v2/serverless/${id}`, { method: 'PATCH', body: JSON.stringify({ args: 'two' }) })
    expect(await slow).toMatchObject({ status: 200, json: { args: ['one'] } })
    const next = async () => (await stack.api.get(`/lb/${id}/`)).json['args']
    await expect.poll(next, { timeout: 60_000 }).toEqual(['two'])
  })
})
