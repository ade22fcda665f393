// The hosts as an operator sees them: what the configuration says, what the leading scaler saw last, which workers are there.
import { existsSync } from 'node:fs'
import { loadConfig } from '@runyard/kit'
import { RunyardError, type Config, type HostConfig, type HostRecord, type WorkerRecord } from '@runyard/schema'
import type { Store, StoredCard } from '@runyard/store'
import { UsageError, type CommandContext } from '../command.ts'
import { onlyWord, unknownWord } from '../only-word.ts'
import { loadSettings, type Settings } from '../settings.ts'
import { readRunning } from '../stack/data-dir.ts'

export interface PoolHost {
  readonly name: string
  /** Undefined: another scaler's, or found by itself where no host is configured. */
  readonly config: HostConfig | undefined
  /** Undefined: no scaler has seen it yet. */
  readonly record: HostRecord | undefined
  readonly workers: readonly WorkerRecord[]
  /** Its cards that no worker may have now, or that were in quarantine in the last day. */
  readonly cards: readonly StoredCard[]
}

/** The leader writes at least once a minute. */
const STALE_AFTER_MS = 150_000

/** What was seen longer ago says nothing about now. */
export const isStale = ({ sight }: HostRecord, now: number): boolean => sight === undefined || now - sight.at > STALE_AFTER_MS

/** Hosts of the configuration first; others only while a scaler sees them. */
export async function readPool(
  store: Pick<Store, 'hosts' | 'endpoints' | 'workers' | 'cards'>,
  config: Config,
): Promise<readonly PoolHost[]> {
  const [records, endpoints, cards] = await Promise.all([store.hosts.list(), store.endpoints.list(), store.cards.list()])
  const workers = (await Promise.all(endpoints.map(({ id }) => store.workers.list(id)))).flat()
  const inOrder = cards.toSorted((one, other) => one.uuid.localeCompare(other.uuid))
  const now = Date.now()
  const newest = records.toSorted((one, other) => (other.sight?.at ?? 0) - (one.sight?.at ?? 0))
  const toHost = (name: string, own: HostConfig | undefined, record: HostRecord | undefined): PoolHost => ({
    name,
    config: own,
    record,
    workers: workers.filter(({ hostId }) => hostId === (record?.hostId ?? name)),
    cards: inOrder.filter(({ uuid, claim }) => claim !== undefined && isOn(record, uuid, claim.hostId)),
  })
  const configured = (config.hosts ?? []).map((own) =>
    toHost(
      own.id,
      own,
      newest.find(({ sight }) => sight?.label === own.id),
    ),
  )
  const known = new Set(configured.map(({ name }) => name))
  const others = newest
    .filter((record) => !known.has(record.sight?.label ?? '') && (record.cordon !== undefined || !isStale(record, now)))
    .map((record) => toHost(record.sight?.label ?? record.hostId, undefined, record))
  return [...configured, ...others]
}

/** A card that the host does not list any more is where it went into quarantine. */
function isOn(record: HostRecord | undefined, uuid: string, hostId: string | undefined): boolean {
  return record !== undefined && (record.hostId === hostId || record.sight?.inventory?.gpus.some((gpu) => gpu.uuid === uuid) === true)
}

/** By name, else by the host's identity. @throws RunyardError('not_found'), UsageError if several hosts have the name */
export function findHost(pool: readonly PoolHost[], word: string): PoolHost {
  const byId = pool.filter(({ record }) => record?.hostId === word)
  const found = byId.length > 0 ? byId : pool.filter(({ name }) => name === word)
  const [host, ...more] = found
  if (host !== undefined && more.length === 0) return host
  if (host !== undefined) {
    const ids = found.map(({ record }) => record?.hostId ?? '?').join(', ')
    throw new UsageError(`${found.length} hosts are called "${word}"; name one by its id: ${ids}.`)
  }
  throw unknownWord(
    word,
    pool.map(({ name }) => name),
    { what: 'host', group: 'hosts' },
  )
}

export const onlyHost = (context: Pick<CommandContext, 'positionals'>): string => onlyWord(context, 'host', 'hosts')

export interface HostSettings extends Settings {
  /** The file that lists the hosts: the one that the running stack reads, else the one of this directory. */
  readonly file: string
}

export async function loadHostSettings(context: Pick<CommandContext, 'options' | 'env' | 'cwd'>): Promise<HostSettings> {
  const settings = await loadSettings(context)
  const running = await readRunning(settings.dataDir)
  const file = running?.configFile
  if (file === undefined || file === settings.file || !existsSync(file)) return { ...settings, file: file ?? settings.file }
  const { config, origins } = await loadConfig({ env: { ...context.env, RUNYARD_CONFIG: file }, cwd: context.cwd })
  return { ...settings, config, origins, file }
}

/** @throws RunyardError if the hosts are not the file's to list. */
export function refuseVariable({ origins }: HostSettings): void {
  if (origins['hosts'] !== 'RUNYARD_HOSTS') return
  throw new RunyardError('conflict', 'RUNYARD_HOSTS sets the hosts, and it overrides the file: unset it, or change the hosts there.')
}
