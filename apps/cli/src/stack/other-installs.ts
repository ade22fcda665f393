// Finds workers of other installations on our hosts. They hold GPUs, and if their Redis was lost, no scaler ends them.
import { openHost, type HostSettings } from '@runyard/hosts'
import type { HostConfig, Install } from '@runyard/schema'

export interface OtherInstall extends Install {
  /** One sentence. */
  readonly words: string
  readonly mend: string
}

/** Of a host that does not answer nothing is known. `instanceId` undefined: ours has none yet. */
export async function findOtherInstalls(
  hosts: readonly HostConfig[],
  settings: HostSettings,
  instanceId: string | undefined,
): Promise<readonly OtherInstall[]> {
  const found = await Promise.all(
    hosts.map(async (host) => {
      await using driver = openHost(host, settings)
      return await driver.installs().catch(() => [])
    }),
  )
  return found
    .flat()
    .filter((install) => install.instanceId !== instanceId)
    .map((install) => ({ ...install, words: describe(install), mend: `if that one is gone for good: ${install.removal}` }))
}

function describe({ instanceId, workers, cards }: Install): string {
  const held = cards.length === 0 ? 'no card' : `${cards.length === 1 ? 'the card' : `${cards.length} cards`} ${cards.join(', ')}`
  return `${workers === 1 ? '1 worker' : `${workers} workers`} of another installation (${instanceId}), holding ${held}`
}
