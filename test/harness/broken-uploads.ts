// Uploads of deploys that break off: their client, or the gateway, is killed when the gateway has the first bytes.
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { createServer, request as httpRequest } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { startChild } from './child.ts'
import type { Stack } from './stack.ts'
import { waitFor } from './wait.ts'

interface Client {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
}

/** @throws where the client ends before it uploads. */
export async function killClientInUpload({ url: target }: Stack, client: Client): Promise<void> {
  let isKilled = false
  const proxy = createServer((request, response) => {
    const { url = '', method, headers } = request
    const onward = httpRequest(`${target}${url}`, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    onward.on('error', () => response.destroy())
    if (method !== 'PUT') {
      request.pipe(onward)
      return
    }
    request.once('data', (bytes: Buffer) => {
      onward.write(bytes.subarray(0, bytes.length / 2), () => {
        child.signal('SIGKILL', 'group')
        isKilled = true
        onward.destroy()
      })
    })
  })
  await once(proxy.listen(0, '127.0.0.1'), 'listening')
  const base = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  const env = Object.fromEntries(Object.entries(client.env).map(([key, value]) => [key, value.replace(target, base)]))
  const child = startChild({ name: 'client', ...client, env })
  await child.exited
  proxy.closeAllConnections()
  proxy.close()
  if (!isKilled) throw new Error(`the client ended before its upload: ${child.output()}`)
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
