// What each host is to have ready for the next starts, as its configuration says: while this scaler leads, for hosts that may get workers.
import {
  canStandbyServe,
  diskBytesOf,
  resolveImage,
  runsApp,
  runtimeOf,
  standbyTemplate,
  type HostView,
  type Observed,
  type StandbyRequest,
  type StandbyTemplate,
  type StartAction,
} from '@runyard/core'
import type { Config, Endpoint, HostConfig, HostReadiness } from '@runyard/schema'
import { hostOf, type ActDeps } from './act-deps.ts'
import type { HostWatch } from './host-watch.ts'

/** A start on its own finds one ready, and so does a second one right after it. */
const NETWORKS = 2
const NOTHING: HostReadiness = { networks: 0 }

export type Readiness = ReturnType<typeof createReadiness>

export interface ReadinessDeps {
  readonly hosts: { list(): readonly Pick<HostWatch, 'driver' | 'hostId' | 'config'>[] }
  readonly config: Config
  readonly caBundle: string | undefined
}

export function createReadiness({ hosts, ...settings }: ReadinessDeps) {
  function readinessOf(view: HostView | undefined, config: HostConfig | undefined): HostReadiness {
    if (view === undefined || view.unready !== undefined || view.cordon !== undefined) return NOTHING
    const networks = config?.kind === 'docker' ? (config.readyNetworks ?? NETWORKS) : NETWORKS
    const count = config?.standby ?? 0
    return count === 0 ? { networks } : { networks, standby: { count, launch: templateFor(settings, config).launch } }
  }

  return {
    note({ hosts: views, shutdown }: Pick<Observed, 'hosts' | 'shutdown'>) {
      for (const host of hosts.list()) {
        const view = shutdown ? undefined : views.find(({ hostId }) => hostId === host.hostId())
        host.driver.keepReady?.(readinessOf(view, host.config()))
      }
    },
    [Symbol.dispose]() {
      for (const { driver } of hosts.list()) driver.keepReady?.(undefined)
    },
  }
}

type TemplateDeps = Pick<ReadinessDeps, 'config' | 'caBundle'>

function templateFor({ config, caBundle }: TemplateDeps, host: HostConfig | undefined): StandbyTemplate {
  return standbyTemplate({ image: config.defaultImage, preload: host?.preload ?? [], pidsLimit: config.limits.workerPids, caBundle })
}

/** The worker on the chosen host that takes on the endpoint; undefined: a new one starts. */
export function takeStandby(deps: ActDeps, action: StartAction, endpoint: Endpoint): string | undefined {
  const host = hostOf(deps, action.hostId)
  const config = host?.config()
  if (host === undefined || (config?.standby ?? 0) === 0) return undefined
  const { cpus, memoryBytes } = action
  if (!canStandbyServe(requestOf(deps, host, { action, endpoint }), templateFor(deps, config))) return undefined
  return host.driver.takeStandby?.({ diskBytes: diskBytesOf(endpoint.spec), cpus, memoryBytes })
}

interface Wanted {
  readonly action: StartAction
  readonly endpoint: Endpoint
}

function requestOf({ config }: Pick<ActDeps, 'config'>, { driver }: HostWatch, { action, endpoint }: Wanted): StandbyRequest {
  const { id, spec } = endpoint
  const { runsImages, cardsByVariable } = driver.capabilities
  const { withAgent, image } = resolveImage(spec.image, config)
  return {
    spec,
    withAgent,
    // Where no images are run, whatever our agent serves has the software of the machine.
    image: runsImages ? image : config.defaultImage,
    gpus: action.gpus,
    runtime: runtimeOf(config, id),
    runsApp: runsApp(endpoint),
    cardsByVariable,
  }
}
