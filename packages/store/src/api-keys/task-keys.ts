// The API key of a task (ADR 72): derived from its id by the installation's secret, so it is stored nowhere, and good while the task's record is there.
// It belongs to the task's owner and may only run (ADR 81); what it queues counts for the key that created the task.
import { timingSafeEqual } from 'node:crypto'
import type { ApiKey } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import { readEndpoint } from '../data/records.ts'
import { createInstance } from '../instance.ts'

const PREFIX = 'rpt_'
const KEY = /^rpt_([a-z0-9]{1,64})_([\w-]{43})$/
/** No worker has such an id. */
const PURPOSE = '/task'

export const isTaskKey = (plain: string): boolean => plain.startsWith(PREFIX)

export function createTaskKeys({ client, keys }: Pick<StoreContext, 'client' | 'keys'>) {
  const { workerToken } = createInstance({ client, keys })
  return {
    of: async (taskId: string): Promise<string> => `${PREFIX}${taskId}_${await workerToken(taskId, PURPOSE)}`,
    /** Undefined: it is not the key of a task that is there. */
    async verify(plain: string): Promise<ApiKey | undefined> {
      const [, taskId = '', signature = ''] = KEY.exec(plain) ?? []
      if (taskId === '' || !isSame(signature, await workerToken(taskId, PURPOSE))) return undefined
      const text = await client.hget(keys.endpoints.records, taskId)
      if (text === null) return undefined
      const { name, ownerId, keyId, createdAt, task } = readEndpoint(text)
      return task && { id: keyId ?? taskId, name, ownerId, scopes: ['run'], createdAt, expiresAt: task.until }
    },
  }
}

function isSame(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other))
}
