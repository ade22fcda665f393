// `rp flash dev` sends the source of an api once, and it reaches one worker (sdk2-api §4.5). The last one is kept here for as long as the endpoint has the
// same spec, and every other worker gets it before its first request. Kept in memory: after a restart of the gateway the client's next save starts over.
import { request as send, type Agent, type IncomingMessage } from 'node:http'
import { RunyardError, type Endpoint } from '@runyard/schema'
import { askForBody } from '../http/expect-continue.ts'

const SYNC_PATH = '/_runpod/sync'
/** Of a dev session's endpoint (sdk2-api §3.2). */
const MARK = 'RUNPOD_DEV_RESOURCE'
const ANSWER_WITHIN_MS = 300_000
const MOST_ENDPOINTS = 100
const MOST_BYTES = 8 * 1024 * 1024

interface Source {
  readonly specHash: string
  readonly body: Buffer
  /** Worker → its sync, which later requests wait for. */
  readonly workers: Map<string, Promise<void>>
}

export type DevSyncs = ReturnType<typeof createDevSyncs>

export function createDevSyncs() {
  const sources = new Map<string, Source>()
  const sourceOf = ({ id, specHash }: Endpoint): Source | undefined => {
    const source = sources.get(id)
    return source?.specHash === specHash ? source : undefined
  }
  return {
    /** Reads and keeps the source that the request brings; undefined: the request is none of a dev session. */
    async take(endpoint: Endpoint, request: IncomingMessage, path: string): Promise<Buffer | undefined> {
      if (!(MARK in endpoint.spec.env) || request.method !== 'POST' || path.split('?', 1)[0] !== SYNC_PATH) return undefined
      askForBody(request)
      const body = await readUpTo(request, MOST_BYTES)
      const [oldest] = sources.keys()
      if (sources.size >= MOST_ENDPOINTS && oldest !== undefined) sources.delete(oldest)
      sources.set(endpoint.id, { specHash: endpoint.specHash, body, workers: new Map() })
      return body
    },
    /** The worker has the source that a client has sent. */
    noteSynced(endpoint: Endpoint, workerId: string) {
      sourceOf(endpoint)?.workers.set(workerId, Promise.resolve())
    },
    /** Resolves when the worker has the source, if there is one. @throws RunyardError('bad_gateway') if it does not take it. */
    async ensure(endpoint: Endpoint, workerId: string, agent: Agent): Promise<void> {
      const source = sourceOf(endpoint)
      if (source === undefined) return
      const known = source.workers.get(workerId) ?? sync(source.body, workerId, agent)
      source.workers.set(workerId, known)
      known.catch(() => source.workers.delete(workerId))
      await known
    },
  }
}

async function readUpTo(request: IncomingMessage, most: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length
    if (bytes > most) throw new RunyardError('payload_too_large', `the source of an api may have ${most} bytes`)
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks)
}

function sync(body: Buffer, workerId: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (why: string): void =>
      reject(new RunyardError('bad_gateway', `worker ${workerId} did not take the source of the api: ${why}`))
    const headers = { 'content-type': 'application/json', 'content-length': body.length, host: 'worker' }
    const sent = send({ agent, method: 'POST', path: SYNC_PATH, headers, timeout: ANSWER_WITHIN_MS }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text = (text + chunk).slice(0, 2000)
      })
      answer.on('end', () => (answer.statusCode === 200 ? resolve() : refuse(text)))
      answer.on('error', (error) => refuse(error.message))
    })
    sent.on('timeout', () => sent.destroy(new Error('no answer')))
    sent.on('error', (error) => refuse(error.message))
    sent.end(body)
  })
}
