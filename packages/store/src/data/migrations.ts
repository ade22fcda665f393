// The migrations of the data (ADR 45): migration N, the Nth of the list, converts version N-1 to version N. Each can run twice, because a process can
// be killed between a migration and the write of its number. A published migration never changes.
import type { Redis } from 'ioredis'
import type { Keys } from '../keys.ts'
import { readApiKey, readEndpoint, readLedgerRow, readRegistry, readTemplate } from './records.ts'

export interface MigrationContext {
  readonly client: Redis
  readonly keys: Keys
}

export interface Migration {
  /** One line, for people. */
  readonly what: string
  run(context: MigrationContext): Promise<void>
}

const PAGE = 500
/** Known to the script that submits. */
const ANY_FINGERPRINT = '*'

export const MIGRATIONS: readonly Migration[] = [
  {
    what: 'Data written before versions had numbers: every record can be read.',
    async run(context) {
      const { endpoints, resource, apiKeys, ledger } = context.keys
      await eachField(context, endpoints.records, readEndpoint)
      await eachField(context, resource('templates'), readTemplate)
      await eachField(context, resource('registries'), readRegistry)
      await eachField(context, apiKeys.records, readApiKey)
      await eachField(context, ledger.open, readLedgerRow)
    },
  },
  {
    what: 'Idempotency keys hold a fingerprint of the bytes of a request; an older fingerprint matches every request.',
    async run({ client, keys }) {
      for await (const page of client.scanStream({ match: `${keys.prefix}:{*}:i:*`, count: PAGE })) {
        for (const key of page as readonly string[]) {
          const [jobId] = ((await client.get(key)) ?? '').split(' ')
          if (jobId !== '') await client.set(key, `${jobId} ${ANY_FINGERPRINT}`, 'KEEPTTL', 'XX')
        }
      }
    },
  },
  {
    what: 'Owners of deleted endpoints are forgotten some time after their deletion (ADR 43); earlier ones count from now.',
    async run({ client, keys: { endpoints } }) {
      for await (const page of client.hscanStream(endpoints.owners, { count: PAGE })) {
        const flat = page as readonly string[]
        for (let at = 0; at < flat.length; at += 2) await client.zadd(endpoints.ownersSince, 'NX', Date.now(), flat[at] ?? '')
      }
    },
  },
]

/** Reads a hash in pages, so that a large one does not block Redis. @throws what `read` throws. */
async function eachField({ client }: MigrationContext, key: string, read: (text: string) => unknown): Promise<void> {
  for await (const page of client.hscanStream(key, { count: PAGE })) {
    const flat = page as readonly string[]
    for (let at = 1; at < flat.length; at += 2) read(flat[at] ?? '')
  }
}
