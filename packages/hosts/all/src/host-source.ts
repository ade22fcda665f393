// Where the scaler's drivers come from: today the configuration, which names its hosts once. Another source, such as the nodes of a cluster, has the same shape.
import { endOrphans } from '@runyard/host-process'
import type { Logger } from '@runyard/kit'
import type { HostConfig, HostDriver, HostSource } from '@runyard/schema'
import { openHost, scratchDirOf, type HostSettings } from './open-host.ts'

/** The configured hosts, in their order. Workers that an earlier installation left in this data directory are ended first. */
export async function openHostSource(hosts: readonly HostConfig[], settings: HostSettings & { readonly log: Logger }): Promise<HostSource> {
  const { instanceId, log } = settings
  for (const host of hosts) {
    if (host.kind === 'process') await endOrphans({ scratchDir: scratchDirOf(host, settings), instanceId, log })
  }
  const warn = (message: string): void => log.warn(message)
  return staticSource(
    hosts.map((host) => openHost(host, { ...settings, log: { warn } })),
    hosts,
  )
}

/** Hosts that stay. */
export function staticSource(drivers: readonly HostDriver[], configs: readonly HostConfig[] = []): HostSource {
  return {
    list: () => drivers,
    configOf: ({ label }) => configs.find(({ id }) => id === label),
    subscribe: () => ({ [Symbol.dispose]: () => undefined }),
    async [Symbol.asyncDispose]() {
      await Promise.all(drivers.map((driver) => driver[Symbol.asyncDispose]()))
    },
  }
}
