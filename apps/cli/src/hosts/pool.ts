// The hosts as an operator sees them: what the configuration says, what the leading scaler saw last, which workers are there.
import { existsSync } from 'node:fs'
import { createClient } from '@runyard/client'
import { defined } from '@runyard/core'
import { loadConfig } from '@runyard/kit'
import { placeOf, RunyardError, type HostConfig, type HostRecord } from '@runyard/schema'
import type { HostView } from '@runyard/schema/api'
import { UsageError, type CommandContext } from '../command.ts'
import { onlyWord, unknownWord } from '../only-word.ts'
import { findTarget, loadSettings, type Settings } from '../settings.ts'
import { readRunning, type RunNote } from '../stack/data-dir.ts'

export interface PoolHost {
  readonly name: string
  /** Undefined: another scaler's, or found by itself where no host is configured. */
  readonly config: HostConfig | undefined
  readonly where: string
  /** Undefined: no scaler has seen it yet. */
  readonly record: HostRecord | undefined
  /** The host that is used in its place, because both are one engine. */
  readonly twin?: string
  readonly workers: HostView['workers']
  /** Its cards that no worker may have now, or that were in quarantine in the last day. */
  readonly cards: HostView['cards']
}

/** The leader writes at least once a minute. */
const STALE_AFTER_MS = 150_000

/** What was seen longer ago says nothing about now. */
export const isStale = ({ sight }: Pick<HostRecord, 'sight'> | Pick<HostView, 'sight'>, now: number): boolean =>
  now - (sight?.at ?? 0) > STALE_AFTER_MS

export type Pool = Awaited<ReturnType<typeof openPool>>

type Context = Pick<CommandContext, 'options' | 'env' | 'cwd' | 'err'>

/** That of the stack that the other commands use. The configuration file counts only where it is that stack's. */
export async function openPool(context: Context, { needsFile = false } = {}) {
  const target = await findTarget(context)
  const client = createClient(target)
  /** Undefined: the stack is another machine's. */
  const settings = await settingsBeside(context, target).catch((error: unknown) => {
    if (needsFile || !(error instanceof RunyardError)) throw error
    context.err.line(`runyard: ${error.message} What follows is what the scaler sees.`)
    return undefined
  })
  const configured = settings && (settings.config.hosts ?? [])
  return { client, settings, read: async (): Promise<readonly PoolHost[]> => joinPool(await client.hosts.list(), configured) }
}

/** Of the stack, if it runs on this machine. */
async function settingsBeside(
  context: Context,
  { url, dataDir: data }: Awaited<ReturnType<typeof findTarget>>,
): Promise<HostSettings | undefined> {
  if (data !== undefined) return loadHostSettings({ ...context, options: { ...context.options, data } })
  const settings = await loadHostSettings(context).catch(() => undefined)
  return settings?.running?.url === url ? settings : undefined
}

/** Hosts of the configuration first; others only while a scaler sees them. */
function joinPool(views: readonly HostView[], configured: readonly HostConfig[] | undefined): readonly PoolHost[] {
  const now = Date.now()
  const newest = views.toSorted((one, other) => (other.sight?.at ?? 0) - (one.sight?.at ?? 0))
  const own = (configured ?? []).map((config) => {
    const of = { config, where: config.kind === 'process' ? 'processes' : placeOf(config) }
    const twin = newest.find(({ sight }) => !isStale({ sight }, now) && sight?.twins?.includes(config.id) === true)?.sight?.label
    if (twin !== undefined) return { ...toHost(config.id, undefined, of), twin }
    const view = newest.find(({ sight }) => sight?.label === config.id)
    return toHost(config.id, view, of)
  })
  const known = new Set(own.map(({ name }) => name))
  const others = newest
    .filter(({ cordon, sight }) => !known.has(sight?.label ?? '') && (cordon !== undefined || !isStale({ sight }, now)))
    .map((view) => {
      const where = configured !== undefined ? 'not in the configuration' : view.sight?.kind === 'process' ? 'processes' : 'Docker'
      return toHost(view.sight?.label ?? view.id, view, { config: undefined, where })
    })
  return [...own, ...others]
}

function toHost(name: string, view: HostView | undefined, of: Pick<PoolHost, 'config' | 'where'>): PoolHost {
  if (view === undefined) return { name, ...of, record: undefined, workers: [], cards: [] }
  const { id, sight, cordon, rest, workers, cards } = view
  return { name, ...of, record: defined({ hostId: id, sight: sight ?? undefined, cordon, rest }), workers, cards }
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
  /** The stack that runs on the data directory. */
  readonly running: RunNote | undefined
}

export async function loadHostSettings(context: Pick<CommandContext, 'options' | 'env' | 'cwd'>): Promise<HostSettings> {
  const settings = await loadSettings(context)
  const running = await readRunning(settings.dataDir)
  const file = running?.configFile
  if (file === undefined || file === settings.file || !existsSync(file)) return { ...settings, running, file: file ?? settings.file }
  const { config, origins } = await loadConfig({ env: { ...context.env, RUNYARD_CONFIG: file }, cwd: context.cwd })
  return { ...settings, config, origins, file, running }
}

/** @throws RunyardError if the hosts are not the file's to list. */
export function refuseVariable({ origins }: HostSettings): void {
  if (origins['hosts'] !== 'RUNYARD_HOSTS') return
  throw new RunyardError('conflict', 'RUNYARD_HOSTS sets the hosts, and it overrides the file: unset it, or change the hosts there.')
}
