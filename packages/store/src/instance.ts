// Who this installation is: made once by whichever process comes first, and the secret that worker tokens are signed with.
import { createHmac, randomBytes } from 'node:crypto'
import type { StoreContext } from './context.ts'
import type { Instance, Store } from './types.ts'

export function createInstance({ client, keys }: Pick<StoreContext, 'client' | 'keys'>): Pick<Store, 'instance' | 'workerToken'> {
  let known: Instance | undefined
  const instance = async (): Promise<Instance> => {
    if (known !== undefined) return known
    const fresh: Instance = { id: randomBytes(6).toString('hex'), workerSecret: randomBytes(32).toString('base64url') }
    await client.set(keys.instance, JSON.stringify(fresh), 'NX')
    const text = await client.get(keys.instance)
    const stored = text === null ? fresh : (JSON.parse(text) as Instance)
    known = stored
    return stored
  }
  return {
    instance,
    async workerToken(endpointId, workerId) {
      const { workerSecret } = await instance()
      return createHmac('sha256', workerSecret).update(`${endpointId}/${workerId}`).digest('base64url')
    },
  }
}
