// How a worker starts on an engine: a standby worker takes it on, else a container starts, in a network sandbox if one is ready. Owns what is prepared
// ahead of demand (ADR 56).
import { RunyardError, type HostDriver, type WorkerLaunch } from '@runyard/schema'
import type Docker from 'dockerode'
import { containerName } from './container-spec.ts'
import type { DiskGuard } from './disk.ts'
import { messageOf } from './docker-errors.ts'
import { withImageCommand } from './image-command.ts'
import type { GpuWay } from './gpu-way.ts'
import { createNetworkSandboxes, removeWithSandbox, type NetworkSandboxes } from './network-sandboxes.ts'
import type { Preparer } from './prepare.ts'
import { openStandbyLine } from './standby-line.ts'
import { createStandbys } from './standbys.ts'
import { createStarter, type Starter, type StartOptions } from './start-container.ts'

export interface StartsOptions {
  readonly label: string
  readonly instanceId: string
  readonly log?: { warn(message: string): void } | undefined
  readonly disk: DiskGuard
  readonly preparer: Preparer
  /** Without a time limit of its own. */
  readonly long: Docker
  /** How the engine hands out GPUs; asked at each start that needs one, since drivers and specifications come and go. */
  readonly gpuWay: () => Promise<GpuWay>
}

export interface Starts
  extends AsyncDisposable, Required<Pick<HostDriver, 'keepReady' | 'takeStandby' | 'standbyCount' | 'standbyProblem'>> {
  readonly start: (launch: WorkerLaunch) => Promise<void>
  /** It stands by, and is no worker yet. */
  readonly isHidden: (workerId: string) => boolean
  readonly note: (containers: readonly Docker.ContainerInfo[], askedAt: number) => void
}

export function createStarts(docker: Docker, { label, instanceId, log, disk, preparer, long, gpuWay }: StartsOptions): Starts {
  const starter = createStarter(docker, { instanceId, disk })
  const warn = (message: string): void => log?.warn(`host ${label}: ${message}`)
  const sandboxes = createNetworkSandboxes(docker, {
    instanceId,
    network: preparer.network,
    extraHosts: () => preparer.extraHosts(),
    log: { warn },
  })
  const standbys = createStandbys({
    start: async (launch) => {
      await startOnNetwork({ preparer, starter, gpuWay }, launch, { isStandby: true })
      return openStandbyLine(long, containerName(instanceId, launch.workerId))
    },
    remove: (workerId) => removeWithSandbox(docker, docker.getContainer(containerName(instanceId, workerId))),
    quiet: sandboxes.quiet,
    warn,
  })
  return {
    async start(launch) {
      if (standbys.gave(launch.workerId) && (await sandboxes.during(false, () => standbys.handOver(launch)))) return
      // Another runtime may set up the network in its own way, before anyone joins it; a worker that stood by has one.
      const mayJoin = launch.runtime === undefined && !standbys.gave(launch.workerId)
      await startOnNetwork({ preparer, starter, gpuWay, sandboxes }, await withImageCommand(docker, launch), { mayJoin })
    },
    keepReady(ready) {
      sandboxes.keep(ready?.networks)
      standbys.keep(ready?.standby)
    },
    takeStandby: ({ diskBytes, ...limits }) => (diskBytes === undefined || disk.measures() ? standbys.take(limits) : undefined),
    standbyCount: standbys.count,
    standbyProblem: standbys.problem,
    isHidden: standbys.holds,
    note(containers, askedAt) {
      sandboxes.note(containers, askedAt)
      standbys.note(containers, askedAt)
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([sandboxes[Symbol.asyncDispose](), standbys[Symbol.asyncDispose]()])
    },
  }
}

interface Starting {
  readonly preparer: Preparer
  readonly starter: Starter
  readonly gpuWay: StartsOptions['gpuWay']
  readonly sandboxes?: NetworkSandboxes
}

async function startOnNetwork(
  { preparer, starter, gpuWay: ask, sandboxes }: Starting,
  launch: WorkerLaunch,
  { mayJoin = false, isStandby }: Pick<StartOptions, 'isStandby'> & { readonly mayJoin?: boolean },
): Promise<void> {
  const start = async (sandbox?: string): Promise<void> => {
    await preparer.network().catch(blameHost)
    const agentVolume = launch.withAgent ? await preparer.agentVolume().catch(blameHost) : undefined
    const gpuWay = launch.gpus.some(({ simulated }) => !simulated) ? await ask() : undefined
    await starter.start(launch, { agentVolume, extraHosts: await preparer.extraHosts(), sandbox, isStandby, gpuWay })
  }
  try {
    await (sandboxes === undefined ? start() : sandboxes.during(mayJoin, start))
  } catch (error) {
    if (!/network runyard not found/.test(messageOf(error))) throw error
    // `docker network prune` removes it while no worker runs; another installation that leaves this host removes the agent, too.
    preparer.network.forget()
    preparer.agentVolume.forget()
    await start()
  }
}

/** Whatever goes wrong with the agent's volume, no endpoint can mend it. */
function blameHost(error: unknown): never {
  if (!(error instanceof RunyardError)) throw error
  throw new RunyardError(error.code, error.message, { cause: error, fault: 'host' })
}
