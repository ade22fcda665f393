// The hosts that this scaler has now: one watch for each driver of the source, opened when the driver comes and closed when it goes. What ran on a host that
// went is judged as on any host that this scaler does not have: by its silence.
import { createGpuCatalogue, parseSimulatedGpus, twinOf } from '@runyard/core'
import { sentenceOf, type Logger } from '@runyard/kit'
import type { Config, HostDriver, HostSource } from '@runyard/schema'
import { openHostWatch, type HostWatch } from './host-watch.ts'

export type HostPool = Awaited<ReturnType<typeof openHostPool>>

export interface HostPoolOptions {
  readonly source: HostSource
  readonly config: Pick<Config, 'simulatedGpus' | 'gpuTypes'>
  readonly log: Logger
}

/** Resolves when every host that is there has answered once, or has had its time. */
export async function openHostPool({ source, config, log }: HostPoolOptions, onChange: () => void) {
  const { simulatedGpus } = config
  // Refused here rather than in each tick.
  parseSimulatedGpus(simulatedGpus)
  const catalogue = createGpuCatalogue(config.gpuTypes)
  const watches = new Map<HostDriver, HostWatch>()
  let following: Promise<void> = Promise.resolve()

  async function open(driver: HostDriver): Promise<void> {
    const configOf = (): ReturnType<HostSource['configOf']> => source.configOf(driver)
    watches.set(driver, await openHostWatch({ driver, configOf, simulatedGpus, catalogue, log, onChange }))
  }

  async function follow(): Promise<void> {
    const there = new Set(source.list())
    const gone = [...watches].filter(([driver]) => !there.has(driver))
    for (const [driver, watch] of gone) {
      log.info({ host: driver.label }, 'host is not used any more')
      watches.delete(driver)
      await watch[Symbol.asyncDispose]()
    }
    await Promise.all([...there].filter((driver) => !watches.has(driver)).map(open))
    onChange()
  }

  /** One after another, so that no watch is opened twice. */
  function followSoon(): Promise<void> {
    following = following.then(follow).catch((error: unknown) => log.error({ problem: sentenceOf(error) }, 'the hosts cannot be followed'))
    return following
  }

  const subscription = source.subscribe(() => void followSoon())
  await followSoon()
  const withoutTwins = createTwinFilter(log)
  const all = () => source.list().flatMap((driver) => watches.get(driver) ?? [])
  return {
    /** In the order of the source. A host that is just coming is not among them yet, and one with the identity of an earlier one never is. */
    list: (): readonly HostWatch[] => withoutTwins(all()),
    /** Labels of the hosts that are not used because this one has their identity. */
    twinsOf(hostId: string): readonly string[] {
      const [, ...twins] = all().filter((host) => host.hostId() === hostId)
      return twins.map(({ driver }) => driver.label)
    },
    async [Symbol.asyncDispose]() {
      subscription[Symbol.dispose]()
      await following
      await Promise.all([...watches.values()].map((watch) => watch[Symbol.asyncDispose]()))
    },
  }
}

/** Records and claims name a host by its identity, so two with one identity would get each other's workers. The first in the list is used. */
function createTwinFilter(log: Logger): (hosts: readonly HostWatch[]) => readonly HostWatch[] {
  const reported = new Set<string>()
  return (hosts) => {
    const first = new Map<string, HostWatch>()
    return hosts.filter((host) => {
      const hostId = host.hostId()
      const twin = first.get(hostId)
      if (twin === undefined) return first.set(hostId, host).size > 0
      const { label } = host.driver
      if (!reported.has(`${label} ${hostId}`)) log.warn({ host: label, hostId }, `host ${label} is not used: ${twinOf(twin.driver.label)}`)
      reported.add(`${label} ${hostId}`)
      return false
    })
  }
}
