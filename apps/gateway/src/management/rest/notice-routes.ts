// /runyard/v1/notices (ADR 83): what needs a person, and a test of the receivers.
import type { Notices } from '../../parts/notices.ts'
import { onlyOperator } from '../caller.ts'
import { keyOf, restRoutes, type RestApp } from './conventions.ts'

export function registerNoticeRoutes(app: RestApp, notices: Pick<Notices, 'list' | 'test'>): void {
  const route = restRoutes(app)
  route('GET /runyard/v1/notices', async (request) => ({
    notices: (await notices.list(keyOf(request).ownerId)).map(({ event, subject, message, since }) => ({
      event,
      subject,
      message,
      since: since === undefined ? null : new Date(since).toISOString(),
    })),
  }))

  route('POST /runyard/v1/notices/test', async (request) => {
    onlyOperator(keyOf(request).ownerId, 'test the receivers of notices')
    return { receivers: [...(await notices.test())] }
  })
}
