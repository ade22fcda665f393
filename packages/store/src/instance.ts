// The identity of this installation, created by the first process, and the secret that signs worker tokens.
import { createHmac, randomBytes } from 'node:crypto'
import { Instance } from '@runyard/schema'
import type { StoreContext } from './context.ts'
import { ensureDataVersion } from './data/data-version.ts'
import type { Store } from './types.ts'

export type InstanceStore = Pick<Store, 'instance' | 'claimInstance' | 'workerToken'>

export function createInstance({ client, keys }: Pick<StoreContext, 'client' | 'keys'>): InstanceStore {
  let known: Instance | undefined

  const claim = async (own: Instance | undefined): Promise<{ instance: Instance; isWritten: boolean }> => {
    const fresh: Instance = own ?? { id: randomBytes(6).toString('hex'), workerSecret: randomBytes(32).toString('base64url') }
    // Also of a Redis that was emptied, or restored from a backup, under a running process.
    await ensureDataVersion({ client, keys })
    const isWritten = (await client.set(keys.instance, JSON.stringify(fresh), 'NX')) === 'OK'
    const text = isWritten ? null : await client.get(keys.instance)
    return { instance: text === null ? fresh : Instance.parse(JSON.parse(text)), isWritten }
  }
  const instance = async (): Promise<Instance> => {
    known ??= (await claim(undefined)).instance
    return known
  }
  return {
    instance,
    async claimInstance(own) {
      const claimed = await claim(own)
      known ??= claimed.instance
      return claimed
    },
    async workerToken(endpointId, workerId) {
      const { workerSecret } = await instance()
      return createHmac('sha256', workerSecret).update(`${endpointId}/${workerId}`).digest('base64url')
    },
  }
}
