// The chunks of a job for the readers of its stream. `/stream` returns each chunk once (client-api R5): a read claims chunks, which are deleted
// after the response was delivered, or returned again otherwise (ADR 25). OpenAI responses read by index and claim nothing.
import { randomBytes, randomUUID } from 'node:crypto'
import { asJson, type JsonText } from '@runyard/schema'
import { newName, type JobAt } from '../blobs/payloads.ts'
import type { StoreContext } from '../context.ts'
import { NO_LIMIT } from '../jobs/ending.ts'
import { recordRow } from '../jobs/job-record.ts'
import { jobLua } from '../jobs/parts.ts'
import { readChunk, readRecord } from '../jobs/stored-values.ts'
import { defineLua, defineScript } from '../scripts/define-script.ts'
import { flag, list, maybe, number, row, text, word } from '../scripts/replies.ts'
import type { JobStore } from '../jobs/jobs.ts'

/** Longer than a response takes; shorter than readers wait after the gateway of their response died. */
const DEFAULT_CLAIM_MS = 10_000

const chunksLua = defineLua({ lua: new URL('./chunks.lua', import.meta.url), uses: [jobLua] })

const claimScript = defineScript({
  lua: new URL('./claim-chunks.lua', import.meta.url),
  uses: [chunksLua],
  keys: ['queue'],
  args: { id: 'text', limit: 'number', token: 'text', claimMs: 'number' },
  onlyIfAwaited: true,
  /** `heldBackMs`: time until another reader's claim expires; 0 if there is none. */
  reply: maybe(row({ toRecord: recordRow, texts: list(text), left: number, heldBackMs: number })),
})

const concludeScript = defineScript(
  {
    lua: new URL('./conclude-claim.lua', import.meta.url),
    uses: [chunksLua],
    keys: ['queue'],
    args: { id: 'text', token: 'text', delivered: 'number', more: 'signal' },
    /** `large`: the last delivered chunk, if it is the name of a blob. */
    reply: maybe(row({ isAwaited: flag, large: maybe(text) })),
  },
  { more: (reply) => reply?.isAwaited === true },
)

const readScript = defineScript({
  lua: new URL('./read-chunks.lua', import.meta.url),
  uses: [chunksLua],
  keys: ['queue'],
  args: { id: 'text', from: 'number', limit: 'number' },
  reply: maybe(row({ toRecord: recordRow, texts: list(text), remaining: number })),
})

const appendScript = defineScript(
  {
    lua: new URL('./append-chunk.lua', import.meta.url),
    uses: [jobLua],
    keys: ['queue'],
    args: {
      id: 'text',
      worker: 'text',
      leaseMs: 'number',
      chunk: 'text',
      post: 'text',
      bytes: 'number',
      mostBytes: 'number',
      mostUnread: 'number',
      added: 'signal',
    },
    reply: word('settled', 'already_settled', 'not_holder', 'too_much', 'no_room', 'repeated'),
  },
  { added: (reply) => reply === 'settled' },
)

type JobStreams = Pick<JobStore, 'claimChunks' | 'concludeClaim' | 'readChunks' | 'appendChunk'>

export function createJobStreams(context: StoreContext): JobStreams {
  const { keys, run, payloads, options, onError } = context
  const claimMs = options.claimMs ?? DEFAULT_CLAIM_MS
  const concludeClaim = createConclude(context)
  return {
    concludeClaim,
    appendChunk: createAppend(context),

    async claimChunks(endpointId, jobId, limit) {
      const token = randomBytes(9).toString('base64url')
      const reply = await run(claimScript, { queue: keys.queue(endpointId), id: jobId, limit, token, claimMs })
      if (reply === undefined) return undefined
      const { texts, left, heldBackMs } = reply
      const { record } = reply.toRecord(jobId)
      if (texts.length === 0) return { record, chunks: [], more: left > 0, claim: undefined, heldBackMs }
      try {
        const chunks = await loadClaimed(context, { endpointId, jobId }, texts)
        return { record, chunks, more: left + texts.length > chunks.length, claim: token, heldBackMs }
      } catch (error) {
        await concludeClaim(endpointId, jobId, { claim: token, delivered: 0 }).catch(onError)
        throw error
      }
    },

    async readChunks(endpointId, jobId, page) {
      const at = { endpointId, jobId }
      const reply = await run(readScript, { queue: keys.queue(endpointId), id: jobId, ...page })
      if (reply === undefined) return undefined
      const { texts, remaining } = reply
      const stored = reply.toRecord(jobId)
      // A reader that has read chunks does not ask for the output, which repeats them.
      const record = page.from === 0 && texts.length === 0 ? await readRecord(payloads, at, stored) : stored.record
      return { record, chunks: await Promise.all(texts.map((chunk) => readChunk(payloads, at, chunk))), more: remaining > 0 }
    },
  }
}

/** Only the last of them can be a large one (`claim-chunks.lua`). While it is unavailable, the small ones before it are delivered without it. */
async function loadClaimed({ payloads }: StoreContext, at: JobAt, texts: readonly string[]): Promise<readonly JsonText[]> {
  const small = texts.slice(0, -1).map(asJson)
  try {
    return [...small, await readChunk(payloads, at, texts.at(-1) ?? 'null')]
  } catch (error) {
    if (small.length === 0) throw error
    return small
  }
}

function createConclude({ keys, run, payloads }: StoreContext): JobStore['concludeClaim'] {
  return async (endpointId, jobId, { claim, delivered }) => {
    const more = { kind: 'job-chunk', endpointId, jobId } as const
    const reply = await run(concludeScript, { queue: keys.queue(endpointId), id: jobId, token: claim, delivered, more })
    if (reply?.large !== undefined) payloads.discard({ endpointId, jobId }, reply.large)
    return reply !== undefined
  }
}

function createAppend({ keys, run, payloads, options }: StoreContext): JobStore['appendChunk'] {
  const { streamBytes: mostBytes = NO_LIMIT, unreadBytes: mostUnread = NO_LIMIT } = options.retention
  return async ({ endpointId, jobId, workerId: worker, chunk, post = randomUUID() }) => {
    const at = { endpointId, jobId }
    const kept = await payloads.keep(at, newName('chunk'), chunk)
    const written = { id: jobId, worker, leaseMs: options.leaseMs, chunk: kept.text, post, bytes: Buffer.byteLength(chunk) }
    const added = { kind: 'job-chunk', ...at } as const
    const result = await run(appendScript, { queue: keys.queue(endpointId), ...written, mostBytes, mostUnread, added })
    payloads.conclude(at, kept, result === 'settled')
    return result === 'repeated' ? 'settled' : result
  }
}
