// Cold start: from `POST` at zero workers to the first line of the function, relative to creating and starting the same image up to its first byte.
import { request } from 'node:http'
import { createServer } from 'node:net'
import { findFreePort } from '@runyard/testing/free-port'
import type { Stack } from '../../harness/stack.ts'
import { waitFor } from '../../harness/wait.ts'
import { sourceCall, valueOf } from '../../suites/calls.ts'
import { inTurn, median } from '../load.ts'
import type { RowGroup } from '../row-group.ts'

const NOW = 'def now():\n    import time\n    return {"at": time.time()}\n'

export const cold: RowGroup = {
  name: 'cold',
  title: 'cold start: POST to the first line of the function',
  needsDocker: true,
  measure: async ({ stack, image, planeHost, times }) => {
    const floor = () => bareContainerStart({ image, host: planeHost })
    const [floors, ours] = await inTurn(times(7), floor, () => coldStart(stack))
    return [
      { path: 'cold start, image present, p50', ours: median(ours), beside: median(floors), unit: 'ms', budget: { of: 'ratio', most: 2 } },
    ]
  },
}

/** Milliseconds from `POST` at zero workers to the first line of the function, on a new endpoint with the image present. */
async function coldStart(stack: Stack): Promise<number> {
  const endpoint = await stack.api.saveEndpoint({ name: `bench-cold-${Date.now()}`, idleTimeout: 600 })
  const begun = Date.now()
  const job = await stack.api.runsync(endpoint, sourceCall('now', NOW))
  const taken = Number(valueOf(job['output'])['at']) * 1000 - begun
  await stack.api.deleteEndpoint(endpoint)
  await waitFor('the worker to go', async () => (await stack.api.endpoints()).every((one) => one.id !== endpoint))
  return taken
}

/** Milliseconds from `create` of a container to the first byte that it sends to `host`. */
async function bareContainerStart({ image, host }: { image: string; host: string }): Promise<number> {
  const arrived = Promise.withResolvers<undefined>()
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => arrived.resolve(undefined))
    socket.resume()
  })
  const port = await findFreePort(host)
  await new Promise<void>((resolve) => server.listen(port, host, resolve))
  const command = ['bash', '-c', `echo hello > /dev/tcp/${host}/${port}`]
  const begun = performance.now()
  const spec = { Image: image, Entrypoint: command, Cmd: [], Labels: { 'runyard-bench': 'floor' } }
  const created = JSON.parse(await engine('POST', '/containers/create', spec)) as { Id: string }
  await engine('POST', `/containers/${created.Id}/start`)
  await arrived.promise
  const taken = performance.now() - begun
  await engine('DELETE', `/containers/${created.Id}?force=true`)
  server.close()
  return taken
}

/** The Engine API without any library. */
async function engine(method: string, path: string, body?: unknown): Promise<string> {
  return await new Promise((resolve, reject) => {
    const call = request(
      { socketPath: '/var/run/docker.sock', method, path, headers: { 'content-type': 'application/json' } },
      (response) => {
        let text = ''
        response.on('data', (chunk: Buffer) => (text += chunk.toString()))
        response.on('end', () => ((response.statusCode ?? 500) < 400 ? resolve(text) : reject(new Error(`${method} ${path}: ${text}`))))
      },
    )
    call.on('error', reject)
    call.end(body === undefined ? undefined : JSON.stringify(body))
  })
}
