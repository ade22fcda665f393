// The keys that BullMQ makes for a queue. Its structures are ours to move jobs in, and its own step makes a job active (`scripts/takes.ts`); its classes
// are not used: its Worker would open a blocking connection per queue, which a gateway that is woken by signals never uses.
import { QueueKeys } from 'bullmq'
import type { Keys } from './keys.ts'

/** Every key that BullMQ may have made for the queue itself (not those of jobs). */
export function bullKeys(keys: Keys, endpointId: string): readonly string[] {
  return Object.values(new QueueKeys(keys.prefix).getKeys(keys.queueName(endpointId)))
}
