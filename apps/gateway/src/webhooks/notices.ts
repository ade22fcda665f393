// Notifies the operator without Prometheus (ADR 83): a loop looks at the pool and writes what has changed into the outbox of notices, whose
// webhooks the courier delivers. Several gateways may look: each change is made once. While Redis is away there is no outbox, so each gateway posts that
// one notice itself, once; its id is the same from all of them.
import { randomUUID } from 'node:crypto'
import { noticeBody, noticeChanges, noticeKey, problemsOf, type NoticeBody, type NoticeChange, type NoticeFacts } from '@runyard/core'
import { createLoop, type Logger, type Loop } from '@runyard/kit'
import { OPERATOR_OWNER, type Config, type NotifyConfig, type OpenNotice, type Problem } from '@runyard/schema'
import type { Store } from '@runyard/store'
import type { Notices, SentTest } from '../parts/notices.ts'
import { certificateOf } from '../parts/certificate.ts'
import { signWebhook } from './delivery.ts'
import type { Resolve } from './name-lookup.ts'
import { sendWebhook } from './send.ts'
import { allowedAddresses, describeRefused } from './target.ts'

const LOOK_EVERY_MS = 15_000
/** A Redis that restarts is no notice. */
const AWAY_MS = 30_000

export interface NoticeDeps {
  readonly store: Store
  readonly config: Config
  readonly log: Logger
  readonly resolve: Resolve
}

export function openNotices(deps: NoticeDeps): Notices {
  const { store, config, log } = deps
  const missingSince = new Map<string, number>()
  const away = createAwayWatch(deps)

  async function look(now: number): Promise<number> {
    await away.look(now)
    if (!store.isUp()) return now + LOOK_EVERY_MS
    const [current, open] = await Promise.all([readProblems(deps, now), store.notices.open()])
    const known = [...open.values()]
    noteMissing(missingSince, { known, current, now })
    const changes = noticeChanges(known, current, { now, newId: randomUUID, missingSince })
    for (const change of changes) await report(deps, change, now)
    return now + LOOK_EVERY_MS
  }

  const loop: Loop = createLoop({ name: 'notices', tick: look, log, maxSleepMs: LOOK_EVERY_MS })
  if (config.notify.length > 0) loop.start()
  return {
    async list(ownerId) {
      const [current, open] = await Promise.all([readProblems(deps, Date.now()), store.notices.open()])
      const own = current.filter((problem) => (problem.ownerId ?? ownerId) === ownerId)
      return own.map((problem) => ({ ...problem, since: open.get(noticeKey(problem))?.since }))
    },
    test: async () => {
      const secrets = await store.webhooks.secrets(OPERATOR_OWNER)
      const body = testBody(Date.now())
      return Promise.all(config.notify.map((receiver) => postNow(deps, receiver, { body, secrets })))
    },
    tick: () => loop.tick(),
    [Symbol.asyncDispose]: () => loop[Symbol.asyncDispose](),
  }
}

async function readProblems({ store, config }: NoticeDeps, now: number): Promise<readonly Problem[]> {
  const [hosts, cards, endpoints, storeProblems, certificate] = await Promise.all([
    store.hosts.list(),
    store.cards.list(),
    readEndpoints(store),
    store.problems(),
    certificateOf(config),
  ])
  return problemsOf({ now, hosts, cards, endpoints, storeProblems, certificate })
}

async function readEndpoints(store: Store): Promise<NoticeFacts['endpoints']> {
  const endpoints = await store.endpoints.list()
  return Promise.all(
    endpoints.map(async (endpoint) => {
      const scaler = await store.status.get(endpoint.id)
      return { endpoint, reason: scaler?.reason, message: scaler?.message }
    }),
  )
}

function noteMissing(
  missingSince: Map<string, number>,
  { known, current, now }: { readonly known: readonly OpenNotice[]; readonly current: readonly Problem[]; readonly now: number },
): void {
  const there = new Set(current.map(noticeKey))
  const missing = known.map(noticeKey).filter((key) => !there.has(key))
  for (const key of missingSince.keys()) if (!missing.includes(key)) missingSince.delete(key)
  for (const key of missing) if (!missingSince.has(key)) missingSince.set(key, now)
}

async function report({ store, config, log }: NoticeDeps, change: NoticeChange, now: number): Promise<void> {
  const { kind, notice } = change
  const receivers = config.notify.filter(({ on }) => on.includes(notice.event))
  const messages = receivers.map(({ url }, index) => ({
    id: `${notice.id}-${kind === 'opened' ? 1 : 2}-${index}`,
    url,
    ownerId: OPERATOR_OWNER,
    body: noticeBody(change, now),
  }))
  const [before, after] = kind === 'opened' ? [undefined, notice] : [notice, undefined]
  const isOurs = await store.notices.change(noticeKey(notice), { before, after, messages })
  if (!isOurs) return
  const { event, subject, message } = notice
  log.warn({ event, subject, state: kind, receivers: receivers.length }, `${kind === 'opened' ? 'needs a person' : 'resolved'}: ${message}`)
}

interface Sent {
  readonly body: NoticeBody
  readonly secrets: readonly string[]
}

/** Without the outbox: for tests, and while Redis is away. */
async function postNow({ config, resolve }: NoticeDeps, { url }: NotifyConfig, { body, secrets }: Sent): Promise<SentTest> {
  const text = JSON.stringify(body)
  const signature = signWebhook({ id: `evt_${body.id}_${body.state}`, at: Date.now(), body: text }, secrets)
  const result = await sendWebhook(
    { url: new URL(url), headers: { 'content-type': 'application/json', 'user-agent': 'Runyard', ...signature }, body: text },
    {
      isAllowed: allowedAddresses(config.webhooks),
      resolve: (hostname) => resolve(hostname, OPERATOR_OWNER),
      signal: AbortSignal.timeout(config.webhooks.timeoutS * 1000),
    },
  )
  // Paths of such receivers are often their secret.
  const shown = new URL(url).origin
  if (result.kind === 'failed') return { url: shown, isDelivered: false, message: result.error }
  if (result.kind === 'refused')
    return {
      url: shown,
      isDelivered: false,
      message: `the receiver has ${describeRefused(result.address)}`,
    }
  return { url: shown, isDelivered: result.status >= 200 && result.status <= 299, message: `the receiver answered ${result.status}` }
}

function testBody(now: number): NoticeBody {
  const since = new Date(now).toISOString()
  const message = 'This is a test of the notices of Runyard. Nothing is wrong.'
  return { type: 'runyard.notice', id: randomUUID(), event: 'test', state: 'opened', subject: 'test', message, since, resolvedAt: null }
}

/** Secrets are known from before. */
function createAwayWatch(deps: NoticeDeps): { look(now: number): Promise<void> } {
  const { store, config } = deps
  const receivers = config.notify.filter(({ on }) => on.includes('store_away'))
  let secrets: readonly string[] | undefined
  let goneAt: number | undefined
  let opened: OpenNotice | undefined

  const notifyAll = async (change: NoticeChange, now: number): Promise<void> => {
    const body = noticeBody(change, now)
    await Promise.all(receivers.map((receiver) => postNow(deps, receiver, { body, secrets: secrets ?? [] })))
  }

  return {
    async look(now) {
      if (receivers.length === 0) return
      if (store.isUp()) {
        goneAt = undefined
        secrets = await store.webhooks.secrets(OPERATOR_OWNER)
        if (opened === undefined) return
        const notice = opened
        opened = undefined
        await notifyAll({ kind: 'resolved', notice }, now)
        return
      }
      goneAt ??= now
      if (opened !== undefined || now - goneAt < AWAY_MS) return
      const id = `store-away-${Math.floor(goneAt / 60_000)}`
      opened = { id, event: 'store_away', subject: 'away', message: 'Redis cannot be reached: jobs are refused with 503.', since: goneAt }
      await notifyAll({ kind: 'opened', notice: opened }, now)
    },
  }
}
