// Removes builds from hosts that no environment has active and no worker runs (ADR 65). Failure direction: a build stays on its host.
import { createLoop, sentenceOf, type Logger } from '@runyard/kit'
import type { Store } from '@runyard/store'
import type { Builds } from './builds.ts'
import { isStale } from './chains.ts'
import type { HostPool } from './host-pool.ts'
import type { HostWatch } from './host-watch.ts'

export interface BuildKeeperDeps {
  readonly store: Pick<Store, 'resources' | 'endpoints' | 'workers'>
  readonly hosts: HostPool
  readonly builds: Pick<Builds, 'forget'>
  readonly log: Logger
}

const LOOK_EVERY_MS = 60_000

export function openBuildKeeper(deps: BuildKeeperDeps): AsyncDisposable {
  const tick = async (now: number): Promise<number> => {
    for (const host of deps.hosts.list()) await removeUnused(deps, host)
    return now + LOOK_EVERY_MS
  }
  const loop = createLoop({ name: 'builds', tick, log: deps.log, maxSleepMs: LOOK_EVERY_MS })
  loop.start()
  return loop
}

export async function removeUnused(deps: BuildKeeperDeps, { driver }: Pick<HostWatch, 'driver'>): Promise<void> {
  try {
    const there = (await driver.builds?.()) ?? []
    // Read after the list: a build that a worker begins to use in between is among these.
    const used = there.length === 0 ? new Set<string>() : await usedBuilds(deps)
    for (const id of there.filter((one) => !used.has(one))) {
      deps.builds.forget(driver, id)
      if ((await driver.removeBuild?.(id)) === true)
        deps.log.info({ host: driver.label, build: id }, `the build ${id} was removed: nothing uses it`)
    }
  } catch (error) {
    if (isStale(error)) throw error
    deps.log.debug({ host: driver.label, problem: sentenceOf(error) }, 'the builds of a host were not looked through')
  }
}

async function usedBuilds({ store }: BuildKeeperDeps): Promise<ReadonlySet<string>> {
  const [environments, endpoints, deleted] = await Promise.all([
    store.resources.environments.list(),
    store.endpoints.list(),
    store.endpoints.listDeleted(),
  ])
  const workers = await Promise.all([...endpoints.map(({ id }) => id as string), ...deleted].map((id) => store.workers.list(id)))
  const active = environments.flatMap(({ activeBuildId }) => activeBuildId ?? [])
  // Where an endpoint was rolled back to.
  const pinned = endpoints.flatMap(({ buildId }) => buildId ?? [])
  return new Set([...active, ...pinned, ...workers.flat().flatMap(({ buildId }) => buildId ?? [])])
}
