// Which hosts there are: as configured, else what this machine offers. The drivers make themselves out of that.
import { fileURLToPath } from 'node:url'
import { findDefaultHost, openHostSource } from '@runyard/hosts'
import type { Logger } from '@runyard/kit'
import type { Config, HostSource } from '@runyard/schema'

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
  return { ...config, hosts: config.hosts ?? [await findDefaultHost()] }
}

export async function openHosts({ config, log, ...more }: HostsOptions): Promise<HostSource> {
  const { hosts = [] } = await withHosts(config)
  log.info({ hosts }, `hosts: ${hosts.map((host) => `${host.id} (${host.kind})`).join(', ')}`)
  return openHostSource(hosts, { config, log, root: ROOT, ...more })
}
