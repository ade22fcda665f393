// Where the scaler's drivers come from: the configuration, which may change while it runs. Another source, such as the nodes of a cluster, has the same shape.
import { endOrphans } from '@runyard/host-process'
import type { Logger } from '@runyard/kit'
import type { HostConfig, HostDriver, HostSource } from '@runyard/schema'
import { openHost, scratchDirOf, type HostSettings } from './open-host.ts'

export interface ConfiguredSource extends HostSource {
  /** From now on these are the hosts. One whose connection is the same keeps its driver. @throws RunyardError; then everything stays as it was. */
  apply(hosts: readonly HostConfig[]): Promise<void>
}

interface Entry {
  readonly driver: HostDriver
  readonly config: HostConfig
}

/** The configured hosts, in their order. Workers that an earlier installation left in this data directory are ended first. */
export async function openHostSource(
  hosts: readonly HostConfig[],
  settings: HostSettings & { readonly log: Logger },
): Promise<ConfiguredSource> {
  const { instanceId, log } = settings
  const warn = (message: string): void => log.warn(message)
  const listeners = new Set<() => void>()
  let entries: readonly Entry[] = []

  async function open(config: HostConfig): Promise<HostDriver> {
    if (config.kind === 'process') await endOrphans({ scratchDir: scratchDirOf(config, settings), instanceId, log })
    return openHost(config, { ...settings, log: { warn } })
  }

  async function apply(wanted: readonly HostConfig[]): Promise<void> {
    const next: Entry[] = []
    for (const config of wanted) {
      const same = entries.find((entry) => connectionOf(entry.config) === connectionOf(config))
      next.push({ config, driver: same?.driver ?? (await open(config)) })
    }
    const gone = entries.filter(({ driver }) => next.every((entry) => entry.driver !== driver))
    entries = next
    for (const listener of listeners) listener()
    await Promise.all(gone.map(({ driver }) => driver[Symbol.asyncDispose]()))
  }

  await apply(hosts)
  return {
    list: () => entries.map(({ driver }) => driver),
    configOf: (driver) => entries.find((entry) => entry.driver === driver)?.config,
    apply,
    subscribe(onChange) {
      listeners.add(onChange)
      return { [Symbol.dispose]: () => void listeners.delete(onChange) }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(entries.map(({ driver }) => driver[Symbol.asyncDispose]()))
    },
  }
}

/** What a driver is made of. The rest of a configuration is read anew each time. */
export function connectionOf(config: HostConfig): string {
  const { kind, id, planeUrl } = config
  return JSON.stringify(
    config.kind === 'docker' ? [kind, id, planeUrl, config.engine, config.socket, config.tls, config.forwardPlane] : [kind, id, planeUrl],
  )
}
