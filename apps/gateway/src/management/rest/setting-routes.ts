// /runyard/v1/config (ADR 93): what concerns the whole installation, so only the operator's own keys.
import type { ShownSetting } from '@runyard/kit'
import { onlyOperator } from '../caller.ts'
import { keyOf, restRoute, type RestApp } from './conventions.ts'

export function registerSettingRoutes(app: RestApp, { settings }: { readonly settings: readonly ShownSetting[] }): void {
  app.route({
    ...restRoute('GET /runyard/v1/config'),
    handler: (request) => {
      onlyOperator(keyOf(request).ownerId, 'read the configuration')
      return { settings: settings.map(({ value = null, ...setting }) => ({ ...setting, value })) }
    },
  })
}
