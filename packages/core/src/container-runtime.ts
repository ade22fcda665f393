// Which container runtime the workers of an endpoint have, e.g. gVisor's, and which hosts can give it to them.
import type { Config, HostInventory } from '@runyard/schema'

/** By id: names are their owner's to choose. Undefined: the host's own. */
export function runtimeOf({ runtimes }: Pick<Config, 'runtimes'>, endpointId: string): string | undefined {
  return runtimes[endpointId] ?? runtimes['*']
}

interface RuntimeNeed {
  readonly runtime?: string | undefined
}

export function lacksRuntime({ runtime }: RuntimeNeed, { runtimes }: Pick<HostInventory, 'runtimes'>): boolean {
  return runtime !== undefined && runtimes !== undefined && !runtimes.includes(runtime)
}

export function noRuntime({ runtime = '' }: RuntimeNeed, hosts: readonly Pick<HostInventory, 'label' | 'hostId'>[]): string {
  const names = hosts.map(({ label, hostId }) => label ?? hostId).join(', ')
  return `no host has the container runtime ${runtime}, which the setting runtimes names: ${names}`
}
