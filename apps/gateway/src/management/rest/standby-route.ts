// GET /runyard/v1/standby: the workers that wait for an endpoint, by host, and why there are no more (an extension of ours, for `runyard status`).
import type { Store } from '@runyard/store'
import { restRoutes, type RestApp } from './conventions.ts'

export function registerStandbyRoute(app: RestApp, { store }: { readonly store: Pick<Store, 'hosts'> }): void {
  const route = restRoutes(app)
  route('GET /runyard/v1/standby', async () => {
    const sights = (await store.hosts.list()).flatMap(({ sight }) => sight ?? [])
    const hosts = sights.map(({ label, standby = 0, standbyProblem }) => ({ host: label, waiting: standby, problem: standbyProblem }))
    return { hosts: hosts.filter(({ waiting, problem }) => waiting > 0 || problem !== undefined) }
  })
}
