// GET /runyard/v1/usage: the ledger summed over a range by what is asked for, in JSON or as a table, and what it cost by the prices of today (an extension of
// ours, for `runyard usage`). Endpoints that their owner deleted still count, with their names; where only sums of days are left, without id and name.
// The default range is the last 24 hours; it is one of whole days where only those sums are left (ADR 43, ADR 82).
import { createWorkSpans, DAY_MS, groupUsage, type UsageGroup, type WorkSpans } from '@runyard/core'
import { type Config, pricePerHour, type Prices, RunyardError } from '@runyard/schema'
import type { UsageDimension, UsageLine, UsageView } from '@runyard/schema/api'
import type { Store } from '@runyard/store'
import type { SharedAnswers } from '../../http/shared-answers.ts'
import type { Past } from '../../parts/past.ts'
import { readRanJobs } from '../../parts/ran-jobs.ts'
import { type OwnedLedger, readOwnedLedger, type UsageDeps } from '../usage-model.ts'
import { keyOf, type RestApp, restRoutes } from './conventions.ts'

/** Of a currency; less than any second costs. */
const DECIMALS = 1e6

export interface UsageRouteDeps extends UsageDeps {
  readonly store: UsageDeps['store'] & Pick<Store, 'keys' | 'hosts' | 'jobs' | 'history'>
  readonly config: UsageDeps['config'] & Pick<Config, 'history'>
  readonly past: Past
  readonly prices: () => Prices
}

export function registerUsageRoute(app: RestApp, deps: UsageRouteDeps, shared: SharedAnswers): void {
  const route = restRoutes(app)
  route('GET /runyard/v1/usage', async (request, reply) => {
    const { by, idle, format, to = Date.now(), from = to - DAY_MS } = request.query
    if (from >= to) throw new RunyardError('bad_request', '"from" must lie before "to".')
    const read = () => readUsage(deps, keyOf(request).ownerId, { by, idle, range: { from, to } })
    if (format === 'json') return shared.answer(request, reply, read)
    void reply.serializer(String)
    return reply.type('text/csv; charset=utf-8').send(toTable(await read()) as never)
  })

  route('GET /runyard/v1/prices', () => deps.prices())
}

interface Asked {
  readonly by: readonly UsageDimension[]
  readonly idle: boolean
  readonly range: { readonly from: number; readonly to: number }
}

async function readUsage(deps: UsageRouteDeps, ownerId: string, { by, idle, range: asked }: Asked): Promise<UsageView> {
  const prices = deps.prices()
  const [{ range, names, goneNames, rows, days }, keys, hosts] = await Promise.all([
    readOwnedLedger(deps, ownerId, asked),
    by.includes('key') ? deps.store.keys.list() : [],
    by.includes('host') ? deps.store.hosts.list() : [],
  ])
  const named: Names = {
    endpoints: names,
    goneEndpoints: goneNames,
    keys: new Map(keys.filter((key) => key.ownerId === ownerId).map(({ id, name }) => [id, name])),
    hosts: new Map(hosts.flatMap(({ hostId, sight }) => (sight === undefined ? [] : [[hostId, sight.label] as const]))),
  }
  const options = {
    range,
    billedStates: deps.config.billing.states,
    now: Date.now(),
    priceOf: (type: string | null) => pricePerHour(prices, type),
  }
  const work = idle ? await readWork(deps, range) : undefined
  const groups = groupUsage({ rows, days }, { ...options, by, work })
  const sums = (some: readonly UsageGroup[]) => ({ ...sumsOf(some), ...(idle && { idleSeconds: idleOf(some) }) })
  return {
    from: new Date(range.from).toISOString(),
    to: new Date(range.to).toISOString(),
    usage: groups.map((group) => ({ ...whatOf(group, by, named), ...sums([group]) })),
    by: [...by],
    currency: prices.currency,
    total: sums(groups),
  }
}

/** Undefined where the history does not reach back to the range. */
async function readWork(
  { store, config, past }: Pick<UsageRouteDeps, 'store' | 'config' | 'past'>,
  range: OwnedLedger['range'],
): Promise<WorkSpans | undefined> {
  const now = Date.now()
  if (!store.history.isKept || range.from < now - config.history.days * DAY_MS) return undefined
  const { blocks, isComplete } = await readRanJobs({ store, past }, range)
  return isComplete ? createWorkSpans(blocks, now) : undefined
}

interface Names {
  readonly endpoints: ReadonlyMap<string, string>
  readonly goneEndpoints: ReadonlyMap<string, string>
  readonly keys: ReadonlyMap<string, string>
  readonly hosts: ReadonlyMap<string, string>
}

function whatOf({ of }: UsageGroup, by: readonly UsageDimension[], names: Names): Partial<UsageLine> {
  const { endpointId, keyId = null, hostId = null, gpuType, state, day } = of
  const members: Readonly<Record<UsageDimension, Partial<UsageLine>>> = {
    endpoint: endpointOf(endpointId, names),
    key: { keyId, keyName: names.keys.get(keyId ?? '') ?? null },
    host: { hostId, host: names.hosts.get(hostId ?? '') ?? null },
    gpu: { gpuType },
    state: { state },
    day: { day: new Date(day).toISOString().slice(0, 10) },
  }
  return Object.assign({}, ...by.map((dimension) => members[dimension])) as Partial<UsageLine>
}

function endpointOf(endpointId: string | null, { endpoints, goneEndpoints }: Names): Partial<UsageLine> {
  const name = endpoints.get(endpointId ?? '')
  if (name !== undefined) return { endpointId, endpointName: name }
  return { endpointId, endpointName: goneEndpoints.get(endpointId ?? '') ?? null, isDeleted: true }
}

function sumsOf(groups: readonly UsageGroup[]): UsageView['total'] {
  const sum = (name: 'seconds' | 'billableSeconds' | 'gpuSeconds' | 'cost'): number =>
    groups.reduce((total, group) => total + group[name], 0)
  return {
    seconds: sum('seconds'),
    billableSeconds: sum('billableSeconds'),
    gpuSeconds: sum('gpuSeconds'),
    cost: Math.round(sum('cost') * DECIMALS) / DECIMALS,
  }
}

/** null: not known. Nothing used is nothing idle. */
function idleOf(groups: readonly UsageGroup[]): number | null {
  const parts = groups.map(({ idleSeconds }) => idleSeconds)
  return parts.includes(undefined) ? null : Math.round(1000 * parts.reduce<number>((sum, part = 0) => sum + part, 0)) / 1000
}

const COLUMNS: Readonly<Record<UsageDimension, readonly Exclude<keyof UsageLine, 'isDeleted'>[]>> = {
  endpoint: ['endpointId', 'endpointName'],
  key: ['keyId', 'keyName'],
  host: ['hostId', 'host'],
  gpu: ['gpuType'],
  state: ['state'],
  day: ['day'],
}

/** Without a line of totals: programs add up what they read. */
function toTable({ by, currency, usage, total }: UsageView): string {
  const idle = total.idleSeconds === undefined ? [] : (['idleSeconds'] as const)
  const columns = [...by.flatMap((dimension) => COLUMNS[dimension]), 'seconds', 'billableSeconds', 'gpuSeconds', 'cost', ...idle] as const
  const head = [...columns, 'currency']
  return toCsv([head, ...usage.map((line) => [...columns.map((column) => line[column] ?? ''), currency])])
}

/** As RFC 4180 has it. A text that a spreadsheet would run as a formula gets an apostrophe before it: names come from users. */
function toCsv(rows: readonly (readonly (string | number)[])[]): string {
  return rows.map((row) => `${row.map(toCell).join(',')}\r\n`).join('')
}

function toCell(value: string | number): string {
  if (typeof value === 'number') return String(value)
  const safe = /^[=+\-@\t\r]/u.test(value) ? `'${value}` : value
  return /[",\r\n]/u.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
