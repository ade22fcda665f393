// What concerns the whole installation: /runyard/v1/notices (ADR 83), what needs a person and a test of the receivers, and /runyard/v1/config (ADR 93).
import type { ShownSetting } from '@runyard/kit'
import type { SharedAnswers } from '../../http/shared-answers.ts'
import type { Notices } from '../../parts/notices.ts'
import { onlyOperator } from '../caller.ts'
import { keyOf, restRoutes, type RestApp } from './conventions.ts'

export function registerNoticeRoutes(app: RestApp, notices: Pick<Notices, 'list' | 'test'>, shared: SharedAnswers): void {
  const route = restRoutes(app)
  route('GET /runyard/v1/notices', (request, reply) =>
    shared.answerCurrent(request, reply, async () => ({
      notices: (await notices.list(keyOf(request).ownerId)).map(({ event, subject, message, since }) => ({
        event,
        subject,
        message,
        since: since === undefined ? null : new Date(since).toISOString(),
      })),
    })),
  )

  route('POST /runyard/v1/notices/test', async (request) => {
    onlyOperator(keyOf(request).ownerId, 'test the receivers of notices')
    return { receivers: [...(await notices.test())] }
  })
}

export function registerSettingRoutes(app: RestApp, { settings }: { readonly settings: readonly ShownSetting[] }): void {
  const route = restRoutes(app)
  route('GET /runyard/v1/config', (request) => {
    onlyOperator(keyOf(request).ownerId, 'read the configuration')
    return { settings: settings.map(({ value = null, ...setting }) => ({ ...setting, value })) }
  })
}
