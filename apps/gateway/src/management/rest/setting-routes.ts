// /runyard/v1/config and the cordons of hosts (ADR 93): what concerns the whole installation, so only the operator's own keys.
import type { ShownSetting } from '@runyard/kit'
import { OPERATOR_OWNER, RunyardError } from '@runyard/schema'
import type { Store } from '@runyard/store'
import { keyOf, restRoute, type RestApp } from './conventions.ts'

export interface SettingDeps {
  readonly store: Pick<Store, 'hosts'>
  readonly settings: readonly ShownSetting[]
}

export function registerSettingRoutes(app: RestApp, { store, settings }: SettingDeps): void {
  app.route({
    ...restRoute('GET /runyard/v1/config'),
    handler: (request) => {
      refuseOthers(keyOf(request).ownerId, 'read the configuration')
      return { settings: settings.map(({ value = null, ...setting }) => ({ ...setting, value })) }
    },
  })

  const find = async (ownerId: string, hostId: string): Promise<void> => {
    refuseOthers(ownerId, 'cordon a host')
    const hosts = await store.hosts.list()
    if (!hosts.some((host) => host.hostId === hostId)) throw new RunyardError('not_found', `There is no host "${hostId}".`)
  }

  app.route({
    ...restRoute('PUT /runyard/v1/hosts/:id/cordon'),
    config: { find },
    handler: async (request) => {
      const { reason, drain } = request.body
      const cordon = { since: Date.now(), reason, ...(drain ? { drain } : {}) }
      await store.hosts.putCordon(request.params.id, cordon)
      return cordon
    },
  })

  app.route({
    ...restRoute('DELETE /runyard/v1/hosts/:id/cordon'),
    config: { find },
    handler: async (request, reply) => {
      await store.hosts.putCordon(request.params.id, undefined)
      return reply.code(204).send()
    },
  })
}

function refuseOthers(ownerId: string, what: string): void {
  if (ownerId !== OPERATOR_OWNER) throw new RunyardError('forbidden', `forbidden: only keys of the owner "${OPERATOR_OWNER}" may ${what}`)
}
