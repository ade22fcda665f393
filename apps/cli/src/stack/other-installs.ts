// Workers of other installations on the engines that we use: they hold cards, and one whose Redis was lost has nobody who would end them.
import { listInstalls, openEngine, type Install } from '@runyard/host-docker'
import { engineOf, type EngineConnection, type HostConfig } from '@runyard/schema'

export interface OtherInstall extends Install {
  /** One sentence. */
  readonly words: string
  readonly mend: string
}

/** Of an engine that does not answer nothing is known. `instanceId` undefined: ours has none yet. */
export async function findOtherInstalls(hosts: readonly HostConfig[], instanceId: string | undefined): Promise<readonly OtherInstall[]> {
  const found = await Promise.all(hosts.map((host) => (host.kind === 'docker' ? installsOn(engineOf(host)) : [])))
  return found
    .flat()
    .filter((install) => install.instanceId !== instanceId)
    .map((install) => ({ ...install, words: describe(install), mend: removalOf(install) }))
}

function describe({ instanceId, workers, cards }: Install): string {
  const held = cards.length === 0 ? 'no card' : `${cards.length === 1 ? 'the card' : `${cards.length} cards`} ${cards.join(', ')}`
  return `${workers === 1 ? '1 worker' : `${workers} workers`} of another installation (${instanceId}), holding ${held}`
}

function removalOf({ instanceId }: Install): string {
  return `if that one is gone for good: docker rm -f $(docker ps -aq --filter label=runyard=${instanceId})`
}

async function installsOn(connection: EngineConnection): Promise<readonly Install[]> {
  await using engine = openEngine(connection)
  return await listInstalls(engine).catch(() => [])
}
