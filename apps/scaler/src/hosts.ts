// Which hosts there are: as configured, else what this machine offers. The drivers make themselves out of that.
import { fileURLToPath } from 'node:url'
import { connectionOf, findDefaultHost, openHost, openHostSource, type ConfiguredSource } from '@runyard/hosts'
import type { Logger } from '@runyard/kit'
import { Hosts, type Config, type HostConfig, type HostDriver } from '@runyard/schema'

export interface HostsOptions {
  /** With its hosts named. */
  readonly config: Config
  readonly instanceId: string
  readonly log: Logger
  readonly env: NodeJS.ProcessEnv
}

/** Of this app, whether it runs from its source or from its bundle. */
const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

/** The same configuration with its hosts named. */
export async function withHosts(config: Config): Promise<Config> {
  return { ...config, hosts: config.hosts ?? [...(await defaultHosts(process.env))] }
}

/** Where none is configured: what `up` has chosen and prepared, else what this machine offers. */
export async function defaultHosts({ RUNYARD_DEFAULT_HOSTS: chosen }: NodeJS.ProcessEnv): Promise<readonly HostConfig[]> {
  return chosen === undefined ? [await findDefaultHost()] : Hosts.parse(JSON.parse(chosen))
}

export async function openHosts({ config, log, ...more }: HostsOptions): Promise<ConfiguredSource> {
  const { hosts = [] } = await withHosts(config)
  log.info({ hosts }, `hosts: ${hosts.map((host) => `${host.id} (${host.kind})`).join(', ')}`)
  return openHostSource(hosts, { config, log, root: ROOT, ...more })
}

/** A driver of its own; the scaler's driver watches the host. */
export function openOwnHost(host: HostConfig, options: Omit<HostsOptions, 'log'>): HostDriver {
  return openHost(host, { root: ROOT, ...options })
}

export function createOwnHosts(open: (host: HostConfig) => HostDriver) {
  const drivers = new Map<string, HostDriver>()
  return {
    /** One driver per connection. Those of hosts that changed stay until the end: what they follow ends by itself. */
    of(host: HostConfig): HostDriver {
      const key = connectionOf(host)
      const driver = drivers.get(key) ?? open(host)
      drivers.set(key, driver)
      return driver
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...drivers.values()].map((driver) => driver[Symbol.asyncDispose]()))
    },
  }
}
