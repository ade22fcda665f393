// What the rest of Runyard asks an engine besides running workers: is it there, which installs use it, and remove what is ours.
import { isSimulatedUuid, LOCAL_SOCKET, toEngineUrl, type Install } from '@runyard/schema'
import { removeBuilds } from './builds.ts'
import { LABELS } from './container-spec.ts'
import { probeDiskLimit, type DiskLimit } from './disk.ts'
import { onEngine, type Engine } from './engine.ts'
import { toRunyardError } from './docker-errors.ts'
import { cardsOf } from './observed.ts'
import { removeContainer } from './remove-container.ts'

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

/** Can the engine limit what a container writes? `image`: one that is there. */
export function diskLimitOf(engine: Engine, image: string): Promise<DiskLimit> {
  return probeDiskLimit(engine.docker({ timeout: PROBE_TIMEOUT_MS }), image)
}
