// How pulls carry credentials, and what becomes of a registry's refusal; on an engine that says what real ones say.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect } from 'vitest'
import { directory as dir, it } from '@runyard/testing/directory'
import { createDockerHost } from './docker-host.ts'
import { WORKER_IMAGE } from './images.ts'

const CREDENTIALS = { name: 'mine', username: 'me', password: 'open sesame+/=' }

let answer: { status: number; body: string }
let requests: { readonly url: string | undefined; readonly auth: unknown }[]
let server: ReturnType<typeof createServer>

function serve(request: IncomingMessage, response: ServerResponse): void {
  const header = request.headers['x-registry-auth']
  const auth: unknown = typeof header === 'string' ? JSON.parse(Buffer.from(header, 'base64url').toString()) : undefined
  requests.push({ url: request.url, auth })
  response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body)
}

beforeEach(async () => {
  requests = []
  answer = { status: 200, body: '{"status":"Pull complete"}\n' }
  server = createServer(serve)
  await new Promise<void>((resolve) => {
    server.listen(join(dir, 'docker.sock'), resolve)
  })
})
afterEach(async () => {
  await new Promise((resolve) => {
    server.close(resolve)
    server.closeAllConnections()
  })
})

function pull(credentials?: typeof CREDENTIALS, image = 'registry.example/private:1'): Promise<void> {
  const driver = createDockerHost({ label: 'here', connection: { kind: 'unix', socket: join(dir, 'docker.sock') }, instanceId: 'x' })
  return driver.pullImage(image, { credentials, onProgress: () => undefined, signal: new AbortController().signal })
}

describe('a pull', () => {
  it('hands the credentials over in their header and nowhere else', async () => {
    await pull(CREDENTIALS)
    expect(requests).toMatchObject([{ auth: { username: 'me', password: 'open sesame+/=' } }])
    expect(requests[0]?.url).toMatch(/fromImage=registry\.example/)
    expect(requests[0]?.url).not.toMatch(/auth|sesame/)
  })

  it('sends none where none are given', async () => {
    await pull()
    expect(requests).toMatchObject([{ auth: undefined }])
  })

  it.each([
    [500, 'Head "http://registry.example/v2/private/manifests/1": no basic auth credentials', 'asks for credentials'],
    [500, 'unauthorized: authentication required', 'asks for credentials'],
    [
      404,
      "pull access denied for private, repository does not exist or may require 'docker login': denied: requested access is denied",
      'has no such image, or asks for credentials',
    ],
  ])('that is refused with %s %s says that it takes credentials, or other ones', async (status, message, asks) => {
    answer = { status, body: JSON.stringify({ message }) }
    const image = 'The image registry.example/private:1 is not on this host, and its registry'
    await expect(pull()).rejects.toMatchObject({
      code: 'forbidden',
      message: `${image} ${asks} (${message}): save them with "runyard registries add" and name them in the endpoint.`,
    })
    await expect(pull(CREDENTIALS)).rejects.toMatchObject({
      code: 'forbidden',
      message: `${image} refuses the credentials "mine" (${message}): mend them with "runyard registries update".`,
    })
  })

  it('of our own image, which somebody has pruned, says how it comes back', async () => {
    answer = { status: 404, body: JSON.stringify({ message: 'pull access denied for runyard/worker' }) }
    await expect(pull(undefined, WORKER_IMAGE)).rejects.toMatchObject({
      code: 'not_found',
      message: expect.stringMatching(/is not on this host any more.*start it again, which builds it\.$/),
    })
  })

  it('of an image that the registry does not have is another thing', async () => {
    answer = { status: 404, body: JSON.stringify({ message: 'manifest for private:1 not found: manifest unknown' }) }
    await expect(pull(CREDENTIALS)).rejects.toMatchObject({ code: 'not_found' })
  })
})

describe('the look for an image', () => {
  it.each([
    ['lab:5000/a/b:1', '/images/lab%3A5000/a/b%3A1/json'],
    ['x/get?x=', '/images/x/get%3Fx%3D/json'],
    ['../system/df#', '/images/%2E%2E/system/df%23/json'],
  ])('asks the engine for %s and for no other thing', async (image, path) => {
    answer = { status: 404, body: '{"message":"No such image"}' }
    const driver = createDockerHost({ label: 'here', connection: { kind: 'unix', socket: join(dir, 'docker.sock') }, instanceId: 'x' })
    expect(await driver.hasImage(image)).toBe(false)
    expect(requests.map(({ url }) => url)).toEqual([path])
  })
})
