// /runyard/v1/config (ADR 93): what concerns the whole installation, so only the operator's own keys.
import type { ShownSetting } from '@runyard/kit'
import { onlyOperator } from '../caller.ts'
import { keyOf, restRoutes, type RestApp } from './conventions.ts'

export function registerSettingRoutes(app: RestApp, { settings }: { readonly settings: readonly ShownSetting[] }): void {
  const route = restRoutes(app)
  route('GET /runyard/v1/config', (request) => {
    onlyOperator(keyOf(request).ownerId, 'read the configuration')
    return { settings: settings.map(({ value = null, ...setting }) => ({ ...setting, value })) }
  })
}
