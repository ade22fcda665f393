// Notices to the operator (ours, ADR 83).
import { z } from 'zod'
import { NOTICE_EVENTS } from '../notice.ts'
import { tagged } from './operation.ts'
import { DateTime } from './shared.ts'

const ProblemView = z
  .object({
    event: z.enum(NOTICE_EVENTS),
    subject: z.string().describe('The name of the host, card, endpoint or file.'),
    message: z.string(),
    since: DateTime.nullable().describe('Since when the receivers know; null: they were not notified.'),
  })
  .meta({ id: 'Notice' })

export const NoticeListView = z
  .object({ notices: z.array(ProblemView) })
  .meta({ id: 'NoticeList', description: 'What needs a person now.' })
export type NoticeListView = z.infer<typeof NoticeListView>

const NoticeTestView = z.object({
  url: z.string().describe('Without its path, which may be a secret.'),
  isDelivered: z.boolean(),
  message: z.string().describe('What the receiver answered, or why it did not get the notice.'),
})

export const NoticeTestListView = z.object({ receivers: z.array(NoticeTestView) }).meta({ id: 'NoticeTests' })
export type NoticeTestListView = z.infer<typeof NoticeTestListView>

export const NOTICE_OPERATIONS = tagged('notices', {
  'GET /runyard/v1/notices': { id: 'listNotices', summary: 'List what needs a person now', reply: NoticeListView },
  'POST /runyard/v1/notices/test': {
    id: 'testNotices',
    summary: 'Send a test notice to each receiver of `notify`, and wait for their answers',
    reply: NoticeTestListView,
  },
})
