// Cold start: from `POST` at zero workers to the first line of the function, relative to creating and starting the same image up to its first byte. Three
// times: without anything prepared but a network, on a standby worker, and on a standby worker with modules preloaded that the function imports.
import { request } from 'node:http'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { findFreePort } from '@runyard/testing/free-port'
import { runCommand } from '../../harness/child.ts'
import { startStack, type Stack } from '../../harness/stack.ts'
import { waitFor } from '../../harness/wait.ts'
import { sourceCall, valueOf } from '../../suites/calls.ts'
import { inTurn, median } from '../load.ts'
import type { RowGroup } from '../row-group.ts'

const NOW = 'def now():\n    import time\n    return {"at": time.time()}\n'
/** Slow to import, and part of every Python: they stand for torch, which is not in the image. */
const HEAVY = ['unittest.mock', 'xml.dom.minidom', 'http.server', 'sqlite3', 'multiprocessing.pool', 'email.mime.text', 'pydoc']
const NOW_HEAVY = `def now():\n    import time\n    import ${HEAVY.join(', ')}\n    return {"at": time.time()}\n`
/** A standby worker counts as ready when its container runs; Python takes a moment longer. Nor is the engine still at work on the last worker then. */
const REST_MS = 2000

export const cold: RowGroup = {
  name: 'cold',
  title: 'cold start: POST to the first line of the function',
  needsDocker: true,
  measure: async ({ stack, image, planeHost, times }) => {
    const floor = () => bareContainerStart({ image, host: planeHost })
    const [floors, ours] = await inTurn(times(7), floor, () => coldStartOnNetwork(stack))
    const standby = await onStandby({ standby: 1 }, (prepared) => inTurn(times(7), floor, () => coldStartOnStandby(prepared, NOW)))
    const preloaded = await onStandby({ standby: 1, preload: HEAVY }, (prepared) =>
      inTurn(times(7), floor, () => coldStartOnStandby(prepared, NOW_HEAVY)),
    )
    const row = (path: string, [beside, own]: readonly [number[], number[]]) =>
      ({ path, ours: median(own), beside: median(beside), unit: 'ms' }) as const
    return [
      { ...row('cold start, image present, p50', [floors, ours]), budget: { of: 'ratio', most: 1.5 } },
      { ...row('cold start on a standby worker, p50', standby), budget: { of: 'ours', most: 80 } },
      { ...row('cold start on a standby worker, modules preloaded, p50', preloaded), budget: { of: 'ratio', most: 1.2 } },
    ]
  },
}

async function onStandby<T>(host: object, measure: (stack: Stack) => Promise<T>): Promise<T> {
  const stack = await startStack({ host: 'docker', settings: { RUNYARD_HOSTS: JSON.stringify([{ kind: 'docker', ...host }]) } })
  try {
    // The first start of an engine finds out what it can do.
    await coldStartOnStandby(stack, NOW)
    return await measure(stack)
  } finally {
    await stack.stop()
  }
}

async function coldStartOnStandby(stack: Stack, source: string): Promise<number> {
  await restUntilRunning('standby')
  return coldStart(stack, source)
}

/** As after any pause, the host has made a network for the next worker (ADR 56). */
async function coldStartOnNetwork(stack: Stack): Promise<number> {
  await restUntilRunning('sandbox')
  return coldStart(stack)
}

async function restUntilRunning(label: 'standby' | 'sandbox'): Promise<void> {
  await sleep(REST_MS)
  const running = ['ps', '-q', '--filter', `label=runyard.${label}`, '--filter', 'status=running']
  await waitFor(`a ${label}`, async () => (await runCommand('docker', running)).trim() !== '')
}

/** Milliseconds from `POST` at zero workers to the first line of the function, on a new endpoint with the image present. */
async function coldStart(stack: Stack, source = NOW): Promise<number> {
  const endpoint = await stack.api.saveEndpoint({ name: `bench-cold-${Date.now()}`, idleTimeout: 600 })
  const begun = Date.now()
  const job = await stack.api.runsync(endpoint, sourceCall('now', source))
  const taken = Number(valueOf(job['output'])['at']) * 1000 - begun
  await stack.api.deleteEndpoint(endpoint)
  // The engine removes a container after the store forgot it, and would do so during the next start.
  const left = ['ps', '-aq', '--filter', `label=runyard.worker=${String(job['workerId'])}`]
  await waitFor('the worker to go', async () => (await runCommand('docker', left)).trim() === '')
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
