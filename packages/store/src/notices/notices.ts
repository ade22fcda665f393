// Notices to the operator (ADR 83): which problems the receivers know of, and the events that report them, in an outbox of their own. Both are in one
// slot, so that each problem is reported once, whichever gateway finds it first, and is not lost when that gateway dies.
import { toJson, NOTICE_OUTBOX, type JobOutcome, OpenNotice } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import { outboxLua } from '../jobs/parts.ts'
import { packSubmission, textOf } from '../jobs/stored-values.ts'
import { defineScript } from '../scripts/define-script.ts'
import { flag } from '../scripts/replies.ts'

export interface NoticeMessage {
  /** Digits, letters, `_` and `-`; another for each receiver and change. */
  readonly id: string
  readonly url: string
  /** Whose secret signs it. */
  readonly ownerId: string
  readonly body: unknown
}

export type NoticeStore = ReturnType<typeof createNoticeStore>

/** Of the newest; a receiver that is away for days need not hear all. */
const MOST_EVENTS = 1000
const OUTCOME: JobOutcome = { status: 'COMPLETED' }

const changeScript = defineScript({
  lua: new URL('./change-notice.lua', import.meta.url),
  uses: [outboxLua],
  keys: ['queue'],
  args: {
    name: 'text',
    before: 'text',
    after: 'text',
    now: 'number',
    outcome: 'text',
    outboxEvents: 'number',
    ids: 'texts',
    datas: 'texts',
    lanes: 'texts',
  },
  reply: flag,
})

export function createNoticeStore({ client, keys, run }: StoreContext) {
  const known = keys.of(NOTICE_OUTBOX, 'notices')
  const textFor = (notice: OpenNotice | undefined): string =>
    // Members in the order of the schema: it is compared as text.
    notice === undefined ? '' : JSON.stringify(OpenNotice.parse(notice))
  const dataOf = ({ id, url, ownerId, body }: NoticeMessage): string =>
    textOf(packSubmission({ id, input: toJson(body), sync: false, policy: {}, webhook: { url, ownerId }, keyId: '' }))
  return {
    /** Of which the receivers were notified, by key. */
    async open(): Promise<ReadonlyMap<string, OpenNotice>> {
      const texts = Object.entries(await client.hgetall(known))
      return new Map(texts.map(([key, text]) => [key, OpenNotice.parse(JSON.parse(text))]))
    },

    /** False: the notice is not `before` any more, so another gateway has changed it. Undefined stands for none. */
    async change(
      key: string,
      {
        before,
        after,
        messages,
      }: {
        readonly before: OpenNotice | undefined
        readonly after: OpenNotice | undefined
        readonly messages: readonly NoticeMessage[]
      },
    ): Promise<boolean> {
      if (messages.length > 0) await client.sadd(keys.webhooks.endpoints, NOTICE_OUTBOX)
      return run(changeScript, {
        queue: keys.queue(NOTICE_OUTBOX),
        name: key,
        before: textFor(before),
        after: textFor(after),
        now: Date.now(),
        outcome: JSON.stringify(OUTCOME),
        outboxEvents: MOST_EVENTS,
        ids: messages.map(({ id }) => id),
        datas: messages.map(dataOf),
        lanes: messages.map(({ url }) => new URL(url).host),
      })
    },
  }
}
