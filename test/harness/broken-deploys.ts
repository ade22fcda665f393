// Deploys of the real tools that break: a proxy before the gateway kills the client at one of its calls, or the gateway after each of them.
import { once } from 'node:events'
import { createServer, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { readdir } from 'node:fs/promises'
import type { Child } from './child.ts'
import { startProgram, type Program } from './python-forks.ts'
import type { Stack } from './stack.ts'
import { waitFor } from './wait.ts'

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

interface Call {
  /** The field of a GraphQL request, else its method: `saveEndpoint`, `PUT`. */
  readonly name: string
  readonly send: () => Promise<Answer>
  /** Sends the first half of the body alone, and resolves when the gateway has it. */
  readonly sendHalf: () => Promise<void>
}

/** Answers undefined: the connection breaks. */
type Meddle = (call: Call) => Promise<Answer | undefined>

/** Runs the client while `onCall` decides what becomes of its calls, one after another. */
async function runThrough({ url: target }: Stack, client: Program, onCall: (client: Child) => Meddle) {
  let last: Promise<unknown> = Promise.resolve()
  const proxy = createServer((request, response) => {
    const before = last
    const serve = async (): Promise<void> => {
      await before
      const meddle = await meddling
      pass(response, await meddle(await readCall(target, request)))
    }
    last = serve().catch(() => response.destroy())
  })
  await once(proxy.listen(0, '127.0.0.1'), 'listening')
  const base = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  const env = Object.fromEntries(Object.entries(client.env).map(([key, value]) => [key, value.replace(target, base)]))
  const starting = startProgram({ ...client, env })
  const meddling = starting.then(onCall)
  const child = await starting
  const code = await child.exited
  await last
  proxy.closeAllConnections()
  proxy.close()
  return { code, output: child.output() }
}

async function readCall(target: string, request: IncomingMessage): Promise<Call> {
  const body = Buffer.concat(await request.toArray())
  const { url = '', method = 'GET', headers } = request
  // Without an agent: no connection outlives a gateway that is killed.
  const open = () => httpRequest(`${target}${url}`, { method, headers, agent: false })
  return {
    name: url === '/graphql' ? (/\{\s*(\w+)/u.exec((JSON.parse(body.toString()) as { query: string }).query)?.[1] ?? '') : method,
    async send() {
      const onward = open()
      onward.end(body)
      const [answer] = (await once(onward, 'response')) as [IncomingMessage]
      return { status: answer.statusCode ?? 502, headers: answer.headers, body: Buffer.concat(await answer.toArray()) }
    },
    async sendHalf() {
      const onward = open()
      onward.on('error', () => undefined)
      await new Promise((resolve) => onward.write(body.subarray(0, body.length / 2), resolve))
      onward.destroy()
    },
  }
}

function pass(response: ServerResponse, answer: Answer | undefined): void {
  if (answer === undefined) {
    response.destroy()
    return
  }
  const { 'transfer-encoding': _chunks, connection: _connection, ...headers } = answer.headers
  response.writeHead(answer.status, { ...headers, 'content-length': answer.body.length }).end(answer.body)
}

/** Kills the client in the middle of its upload, or when the gateway has answered the call of that name. @throws where it ends before. */
export async function killClientAt(stack: Stack, client: Program, name: 'PUT' | (string & {})): Promise<void> {
  let isKilled = false
  const { output } = await runThrough(stack, client, (child) => async (call) => {
    if (call.name !== name || isKilled) return isKilled ? undefined : call.send()
    await (name === 'PUT' ? call.sendHalf() : call.send())
    child.signal('SIGKILL', 'group')
    isKilled = true
    return undefined
  })
  if (!isKilled) throw new Error(`the client ended before its ${name}: ${output}`)
}

/** Kills the gateway after each call that changes something, and starts it again before the client gets the answer. Returns the names of these calls. */
export async function killGatewayAfterEachChange(
  stack: Stack,
  client: Program,
  untilActive: (name: string) => Promise<void>,
): Promise<readonly string[]> {
  const changes: string[] = []
  const { code, output } = await runThrough(stack, client, () => async (call) => {
    const answer = await call.send()
    if (!/^(?:PUT|prepare|finalize|deploy|save|update|create)/u.test(call.name)) return answer
    changes.push(call.name)
    await stack.gateway.kill()
    await stack.gateway.start()
    if (!changes.includes('deployBuildToEnvironment')) await untilActive(call.name)
    return answer
  })
  if (code !== 0) throw new Error(`the client ended with ${code}: ${output}`)
  return changes
}
/** The gateway starts again. */
export async function killGatewayInUpload(stack: Stack, appId: string): Promise<void> {
  const { prepareFlashArtifactUpload } = await stack.api.graphql(
    'mutation($input: PrepareFlashArtifactUploadInput!) { prepareFlashArtifactUpload(input: $input) { uploadUrl } }',
    { input: { flashAppId: appId, tarballSize: 1_000_000 } },
  )
  const { pathname, search, port } = new URL((prepareFlashArtifactUpload as { uploadUrl: string }).uploadUrl)
  const socket = connect(Number(port), '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(`PUT ${pathname}${search} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n`)
  socket.write(Buffer.alloc(1000))
  const incoming = join(stack.dataDir, 'blobs', '.incoming')
  await waitFor('the gateway to write the upload', async () => (await readdir(incoming).catch(() => [])).length > 0)
  await stack.gateway.kill()
  socket.destroy()
  await stack.gateway.start()
}
