// `runyard hosts cordon`, `drain`, `uncordon` and `release`: what an operator wants for a while. It outlives the scaler and holds for every one.
import { setTimeout as sleep } from 'node:timers/promises'
import { RunyardError } from '@runyard/schema'
import { textOption, type CommandContext, UsageError } from '../../command.ts'
import { findHost, onlyHost, openPool, type Pool, type PoolHost } from '../../hosts/pool.ts'
import { createProgress } from '../../output/progress.ts'

const LOOK_EVERY_MS = 500
const DEFAULT_REASON = 'by the operator'

type Seen = PoolHost & { readonly record: NonNullable<PoolHost['record']> }

export async function cordon(context: CommandContext): Promise<number> {
  return onHost(context, async (client, host) => {
    await restrain(context, client, { host, drain: false })
    context.out.line(`${host.name} is cordoned: it gets no new workers${remark(host)}`)
  })
}

export async function drain(context: CommandContext): Promise<number> {
  return onHost(context, async (client, host, look) => {
    await restrain(context, client, { host, drain: true })
    if (context.options['wait'] === true) return waitUntilEmpty(context, host, look)
    context.out.line(`${host.name} is being drained: idle workers go now, busy ones after their jobs${remark(host)}`)
  })
}

export async function uncordon(context: CommandContext): Promise<number> {
  return onHost(context, async (client, host) => {
    await client.hosts.uncordon(host.record.hostId)
    const written = host.config?.cordon
    const still =
      written === undefined || written === false ? '' : '; its configuration still has a cordon, which holds until that line is gone'
    context.out.line(`${host.name} ${still === '' ? 'gets workers again' : 'is not cordoned by a command any more'}${still}`)
  })
}

function remark({ workers }: PoolHost): string {
  if (workers.length === 0) return ''
  return `; ${workers.length === 1 ? '1 worker is' : `${workers.length} workers are`} there`
}

type Client = Pool['client']

async function restrain(context: CommandContext, client: Client, { host, drain: isDrain }: { host: Seen; drain: boolean }): Promise<void> {
  await client.hosts.cordon(host.record.hostId, { reason: textOption(context, 'reason') ?? DEFAULT_REASON, drain: isDrain })
}

async function waitUntilEmpty({ out }: CommandContext, { name }: PoolHost, look: () => Promise<PoolHost>): Promise<void> {
  const step = createProgress(out).begin('drain')
  for (;;) {
    const { workers } = await look()
    if (workers.length === 0) break
    step.note(`${workers.length === 1 ? '1 worker is' : `${workers.length} workers are`} left: ${workers.map(({ id }) => id).join(', ')}`)
    await sleep(LOOK_EVERY_MS)
  }
  step.done(`${name} has no worker; \`runyard hosts uncordon ${name}\` brings it back`)
}

async function onHost(
  context: CommandContext,
  work: (client: Client, host: Seen, look: () => Promise<PoolHost>) => Promise<void>,
): Promise<number> {
  const word = onlyHost(context)
  const pool = await openPool(context)
  const look = async () => findHost(await pool.read(), word)
  const host = await look()
  const { record } = host
  if (record === undefined) {
    throw new RunyardError(
      'not_found',
      `no scaler has seen the host "${host.name}" yet, so its identity is not known; write "cordon: true" under it in the configuration.`,
    )
  }
  await work(pool.client, { ...host, record }, look)
  return 0
}

/** Ends the quarantine of a GPU, if nothing is left on it; a fault that the host still reports puts it back. */
export async function release(context: CommandContext): Promise<number> {
  const [word, part, ...more] = context.positionals
  if (word === undefined || part === undefined || more.length > 0) throw new UsageError('name one host and one GPU of it.')
  const { client, read } = await openPool(context)
  const host = findHost(await read(), word)
  const { uuid, isListed } = await client.hosts.release(host.record?.hostId ?? host.name, findCard(host, part))
  const then = isListed
    ? 'it gets workers when nothing is left on it, and goes back if its fault is still reported'
    : 'its host does not list it'
  context.out.line(`${uuid} is released from quarantine: ${then}`)
  return 0
}

/** Its UUID, by that or a part of it. */
function findCard({ name, cards }: PoolHost, part: string): string {
  const inQuarantine = cards.filter(({ claim }) => claim.kind === 'quarantined' || claim.kind === 'probation').map(({ uuid }) => uuid)
  const [card, ...others] = inQuarantine.filter((uuid) => uuid.includes(part))
  if (card !== undefined && others.length === 0) return card
  if (card !== undefined)
    throw new UsageError(`"${part}" is part of the UUIDs of ${others.length + 1} GPUs in quarantine; write more of it.`)
  const known = inQuarantine.length === 0 ? 'none is' : `these are: ${inQuarantine.join(', ')}`
  throw new RunyardError('not_found', `no GPU "${part}" of ${name} is in quarantine; ${known}.`)
}
