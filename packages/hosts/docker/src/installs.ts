// What the rest of Runyard asks an engine besides running workers: is it there, which installs use it, and remove what is ours.
import { isSimulatedUuid, LOCAL_SOCKET, toEngineUrl, type Cleared, type Install } from '@runyard/schema'
import type Docker from 'dockerode'
import { listVolumes, removeBuilds, volumesWith } from './builds.ts'
import { LABELS } from './container-spec.ts'
import { probeDiskLimit, type DiskLimit } from './disk.ts'
import { onEngine, type Engine } from './engine.ts'
import { toRunyardError } from './docker-errors.ts'
import { cardsOf } from './observed.ts'
import { removeVolume } from './filled-volume.ts'
import { removeContainer } from './remove-container.ts'
import { VOLUME_LABEL } from './volume-mounts.ts'
import { removeWorkerNetwork } from './worker-network.ts'

const PROBE_TIMEOUT_MS = 5_000

export type EngineProbe = { readonly kind: 'ok'; readonly version: string } | { readonly kind: 'failed'; readonly message: string }

/** Is an engine there, and may we use it? Answers within five seconds, with a sentence that says how to mend what is wrong. */
export async function probeEngine(engine: Engine): Promise<EngineProbe> {
  try {
    const { Version } = await engine.docker({ timeout: PROBE_TIMEOUT_MS }).version()
    return { kind: 'ok', version: Version }
  } catch (error) {
    return { kind: 'failed', message: toRunyardError(error, { doing: 'be reached', engine: engine.name }).message }
  }
}

/** Every install that has workers on the engine. */
export async function listInstalls(engine: Engine): Promise<readonly Install[]> {
  return onEngine(engine, 'list the workers', async (docker) => {
    const containers = await docker.listContainers({ all: true, filters: { label: [LABELS.instance, LABELS.worker] } })
    const byInstance = Map.groupBy(containers, ({ Labels }) => Labels[LABELS.instance] ?? '')
    return [...byInstance].map(([instanceId, own]) => ({
      instanceId,
      workers: own.length,
      cards: own
        .filter(({ State }) => State === 'running')
        .flatMap(cardsOf)
        .filter((uuid) => !isSimulatedUuid(uuid)),
      removal: removalOf(engine, instanceId),
    }))
  })
}

function removalOf({ connection }: Engine, instanceId: string): string {
  const docker = connection.kind === 'unix' && connection.socket === LOCAL_SOCKET ? 'docker' : `docker -H ${toEngineUrl(connection)}`
  const ours = `--filter label=runyard=${instanceId}`
  return `${docker} rm -f $(${docker} ps -aq ${ours}); ${docker} volume prune -af ${ours}`
}

/** Removes every worker of one install, living or not, and its builds, and says how many workers there were. */
export async function removeAllWorkers(engine: Engine, instanceId: string): Promise<number> {
  return onEngine(engine, 'remove the workers', async (docker) => {
    const filters = { label: [`${LABELS.instance}=${instanceId}`] }
    const containers = await docker.listContainers({ all: true, filters })
    await Promise.all(containers.map(({ Id }) => removeContainer(docker.getContainer(Id))))
    await removeBuilds(docker, instanceId)
    return containers.length
  })
}

/** Of an engine without workers of this install: its models, and the agent and the network unless another install uses them. */
export async function clearEngine(engine: Engine, instanceId: string): Promise<Cleared> {
  return onEngine(engine, 'remove what was kept for workers', async (docker) => {
    // Builds and caches went with the workers, except those that a container of someone else mounts.
    const own = await removeVolumes(docker, await listVolumes(docker, instanceId))
    const models = own.removed.filter(({ Labels }) => Labels[LABELS.model] !== undefined)
    const shared = await removeShared(docker, instanceId)
    const data = await volumesWith(docker, [VOLUME_LABEL])
    return {
      removed: [...counted(models, 'model'), ...shared.removed],
      kept: [
        ...shared.kept,
        ...counted(own.used, 'volume', ' that a container uses'),
        ...counted(data, 'volume', ' with data of endpoints'),
      ],
    }
  })
}

function counted({ length }: readonly unknown[], noun: string, what = ''): readonly string[] {
  return length === 0 ? [] : [`${length} ${noun}${length === 1 ? '' : 's'}${what}`]
}

async function removeVolumes(docker: Docker, volumes: readonly Docker.VolumeInspectInfo[]) {
  const tried = await Promise.all(volumes.map(async (volume) => ({ volume, isGone: await removeVolume(docker, volume.Name) })))
  const those = (wasRemoved: boolean) => tried.filter(({ isGone }) => isGone === wasRemoved).map(({ volume }) => volume)
  return { removed: those(true), used: those(false) }
}

async function hasOthers(docker: Docker, instanceId: string): Promise<boolean> {
  const [containers, volumes] = await Promise.all([
    docker.listContainers({ all: true, filters: { label: [LABELS.instance] } }),
    volumesWith(docker, [LABELS.instance]),
  ])
  return [...containers, ...volumes].some(({ Labels }) => Labels[LABELS.instance] !== instanceId)
}

const NETWORK = 'the network of workers'
const AGENT = 'the agent'

/** The network first: a container that shows no installation may be on it, and an install that misses it makes both again. */
async function removeShared(docker: Docker, instanceId: string): Promise<Cleared> {
  if (await hasOthers(docker, instanceId)) return { removed: [], kept: [`${AGENT} and ${NETWORK}, which another installation uses`] }
  const network = await removeWorkerNetwork(docker)
  if (network === 'used') return { removed: [], kept: [`${AGENT} and ${NETWORK}, which a container uses`] }
  const agents = await removeVolumes(docker, await volumesWith(docker, [LABELS.agent]))
  return {
    removed: [...(agents.removed.length > 0 ? [AGENT] : []), ...(network === 'removed' ? [NETWORK] : [])],
    kept: agents.used.length > 0 ? [`${AGENT}, which a container uses`] : [],
  }
}

/** Can the engine limit what a container writes? `image`: one that is there. */
export function diskLimitOf(engine: Engine, image: string): Promise<DiskLimit> {
  return probeDiskLimit(engine.docker({ timeout: PROBE_TIMEOUT_MS }), image)
}
