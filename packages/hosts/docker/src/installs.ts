// What the rest of Runyard asks an engine besides running workers: is it there, which installs use it, and remove what is ours.
import { isSimulatedUuid, LOCAL_SOCKET, toEngineUrl, type Cleared, type Install } from '@runyard/schema'
import type Docker from 'dockerode'
import { AGENT_LABEL } from './agent-volume.ts'
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
    const models = await listVolumes(docker, instanceId, [LABELS.model])
    await Promise.all(models.map(({ Name }) => removeVolume(docker, Name)))
    const isShared = (await hasOthers(docker, instanceId)) || !(await removeShared(docker))
    const data = await volumesWith(docker, [VOLUME_LABEL])
    return {
      removed: [
        'builds and caches of packages',
        ...(models.length === 0 ? [] : [counted(models.length, 'model')]),
        ...(isShared ? [] : ['the agent and the network of workers']),
      ],
      kept: [
        ...(isShared ? ['the agent and the network of workers, which another installation uses'] : []),
        ...(data.length === 0 ? [] : [`${counted(data.length, 'volume')} with data of endpoints`]),
      ],
    }
  })
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`

async function hasOthers(docker: Docker, instanceId: string): Promise<boolean> {
  const [containers, volumes] = await Promise.all([
    docker.listContainers({ all: true, filters: { label: [LABELS.instance] } }),
    volumesWith(docker, [LABELS.instance]),
  ])
  return [...containers, ...volumes].some(({ Labels }) => Labels[LABELS.instance] !== instanceId)
}

/** False: a container that shows no installation uses them. The network first, because an install without it makes it again. */
async function removeShared(docker: Docker): Promise<boolean> {
  if (!(await removeWorkerNetwork(docker))) return false
  const agents = await volumesWith(docker, [AGENT_LABEL])
  const gone = await Promise.all(agents.map(({ Name }) => removeVolume(docker, Name)))
  return gone.every(Boolean)
}

/** Can the engine limit what a container writes? `image`: one that is there. */
export function diskLimitOf(engine: Engine, image: string): Promise<DiskLimit> {
  return probeDiskLimit(engine.docker({ timeout: PROBE_TIMEOUT_MS }), image)
}
