// Pages that are open at the same time ask for the same: within some seconds one answer is for all of an owner that ask alike, and while no signal says
// that something changes, for a minute. It is made, encoded and compressed once. Programs, which have a key instead of a session, get their own.
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Signal } from '@runyard/schema'
import type { Store } from '@runyard/store'
import { apiKeyOf } from './authenticate.ts'
import { mayCompress } from './compress.ts'

/** Ranges of pages move in steps of ten seconds, all at the same time. */
const SHARED_MS = 2500
/** While nothing changes. The end of a picture is then this late, as readings are. */
const QUIET_MS = 60_000
/** The history has a change some seconds after its signal, so an answer that is read meanwhile does not count as quiet. */
const LAG_MS = 5000
/** An answer may have some hundred kilobytes. */
const MOST = 50

/** Of gzip: the answers repeat themselves. */
export const GZIP_LEVEL = 4

const compress = promisify(gzip)

/** What changes nothing that is asked for. */
const SILENT: ReadonlySet<Signal['kind']> = new Set(['job-chunk', 'worker-logged', 'webhook-due', 'keys-changed', 'job-stop'])

export interface SharedAnswers {
  /** What `read` returns, for a page already encoded: another page of the same owner may have asked the same. What fails is asked again. */
  answer<T>(request: FastifyRequest, reply: FastifyReply, read: () => Promise<T>): Promise<T>
  /** As `answer`, but never what was read before a signal: for what is complete by then and asked for again because of it. */
  answerCurrent: SharedAnswers['answer']
}

interface Encoded {
  readonly text: string
  compressed?: Promise<Uint8Array>
}

export function createSharedAnswers(app: Pick<FastifyInstance, 'addHook'>, store: Pick<Store, 'subscribe' | 'isUp'>): SharedAnswers {
  const kept = createKept<Encoded>()
  const subscription = store.subscribe(({ kind }) => {
    if (!SILENT.has(kind)) kept.noteChange()
  })
  app.addHook('onClose', () => subscription[Symbol.asyncDispose]())
  const answerWith =
    (find: typeof kept.find): SharedAnswers['answer'] =>
    async (request, reply, read) => {
      // Without Redis nothing says whether an answer still stands.
      if (request.session === null || !store.isUp()) return read()
      const encode = async (): Promise<Encoded> => ({ text: reply.serialize(await read()) as string })
      const answer = await find(`${apiKeyOf(request).ownerId} ${request.url}`, encode)
      void reply.type('application/json; charset=utf-8')
      if (!mayCompress(request, reply, answer.text)) return reply.send(answer.text) as never
      answer.compressed ??= compress(answer.text, { level: GZIP_LEVEL })
      return reply.header('content-encoding', 'gzip').send(await answer.compressed) as never
    }
  return { answer: answerWith(kept.find), answerCurrent: answerWith(kept.findCurrent) }
}

/** Answers by their question, for as long as they may stand. */
export function createKept<T>() {
  /** The oldest first. */
  const kept = new Map<string, { readonly at: number; readonly isQuiet: boolean; readonly answer: Promise<T> }>()
  let changedAt = -Infinity

  function find(question: string, read: () => Promise<T>): Promise<T> {
    const now = performance.now()
    for (const [name, { at, isQuiet }] of kept) {
      const mostMs = isQuiet && changedAt < at ? QUIET_MS : SHARED_MS
      if (now - at >= mostMs || kept.size >= MOST) kept.delete(name)
    }
    const known = kept.get(question)
    if (known !== undefined) return known.answer
    const entry = { at: now, isQuiet: now - changedAt >= LAG_MS, answer: read() }
    kept.set(question, entry)
    entry.answer.catch(() => kept.get(question) === entry && kept.delete(question))
    return entry.answer
  }

  return {
    noteChange: () => (changedAt = performance.now()),
    find,
    /** None that was begun before the latest change. */
    findCurrent: (question: string, read: () => Promise<T>): Promise<T> => {
      const known = kept.get(question)
      if (known !== undefined && known.at <= changedAt) kept.delete(question)
      return find(question, read)
    },
  }
}
