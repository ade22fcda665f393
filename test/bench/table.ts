// One row per budget of docs/benchmarks.md: our figure, the baseline from the same run, the ratio, the budget, and whether it is met.
import { readFile, writeFile } from 'node:fs/promises'
import { cpus, loadavg } from 'node:os'
import { percentile } from './load.ts'

export interface Row {
  readonly path: string
  readonly ours: string
  /** The baseline, or the alternative that a user might pick. */
  readonly beside: string
  readonly ratio: string
  readonly budget: string
  readonly verdict: 'ok' | 'missed' | 'failed' | '–'
}

export interface Measured {
  readonly path: string
  readonly ours: number
  /** Absent if there is nothing to compare with. */
  readonly beside?: number
  /** Of pairs that were measured in turn: their median is judged, and their quartiles stand beside it. */
  readonly ratios?: readonly number[]
  readonly unit: Unit
  /** Upper or lower bound of the ratio, or of our own figure. */
  readonly budget?: { readonly of: 'ratio' | 'ours'; readonly most?: number; readonly least?: number }
}

export type Unit = 'count' | 'ms' | 's' | 'per second' | 'bytes' | 'mebibytes'

export function toRow(measured: Measured): Row {
  const { path, ours, beside, ratios, unit, budget } = measured
  const ratio = ratioOf(measured)
  const judged = budget?.of === 'ratio' ? ratio : ours
  return {
    path,
    ours: format(ours, unit),
    beside: beside === undefined ? '–' : format(beside, unit),
    ratio: ratios === undefined ? formatRatio(ratio) : formatSpread(ratios),
    budget: budget === undefined ? '–' : formatBudget(budget, unit),
    verdict: budget === undefined ? '–' : isKept(judged ?? Number.NaN, budget) ? 'ok' : 'missed',
  }
}

function ratioOf({ ours, beside, ratios }: Partial<Pick<Measured, 'beside' | 'ratios'>> & Pick<Measured, 'ours'>): number | undefined {
  if (ratios !== undefined) return percentile(ratios, 0.5)
  return beside === undefined ? undefined : ours / beside
}

const formatRatio = (ratio: number | undefined): string => (ratio === undefined ? '–' : `${ratio.toFixed(2)}×`)

/** `1.010× (0.98–1.03)`: the median, and between which half of them lie. */
function formatSpread(ratios: readonly number[]): string {
  const [low, middle, high] = [0.25, 0.5, 0.75].map((share) => percentile(ratios, share).toFixed(3))
  return `${middle}× (${low}–${high})`
}

export function failedRow(path: string, error: unknown): Row {
  const text = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
  return { path, ours: `failed: ${text}`, beside: '–', ratio: '–', budget: '–', verdict: 'failed' }
}

function isKept(value: number, { most = Infinity, least = -Infinity }: { most?: number; least?: number }): boolean {
  return value <= most && value >= least
}

function formatBudget(budget: NonNullable<Measured['budget']>, unit: Unit): string {
  const limit = (value: number): string => (budget.of === 'ratio' ? `${value}×` : format(value, unit))
  return budget.most === undefined ? `≥ ${limit(budget.least ?? 0)}` : `≤ ${limit(budget.most)}`
}

const FORMATS: Readonly<Record<Unit, (value: number) => string>> = {
  count: (value) => value.toFixed(1),
  ms: (value) => `${value.toFixed(value < 10 ? 2 : 0)} ms`,
  s: (value) => `${value.toFixed(2)} s`,
  'per second': (value) => `${value < 10 ? value.toFixed(2) : Math.round(value).toLocaleString('en')}/s`,
  bytes: (value) => (value < 10_240 ? `${Math.round(value)} B` : `${(value / 1024).toFixed(1)} KiB`),
  mebibytes: (value) => `${(value / 2 ** 20).toFixed(0)} MiB`,
}

function format(value: number, unit: Unit): string {
  return FORMATS[unit](value)
}

const HEAD = { path: 'path', ours: 'Runyard', beside: 'beside it', ratio: 'ratio', budget: 'budget', verdict: '' }
const COLUMNS = ['path', 'ours', 'beside', 'ratio', 'budget', 'verdict'] as const

export function renderTable(rows: readonly Row[]): string {
  const width = (column: (typeof COLUMNS)[number]): number => Math.max(...[HEAD, ...rows].map((row) => row[column].length))
  const line = (row: Record<keyof Row, string>): string => `| ${COLUMNS.map((column) => row[column].padEnd(width(column))).join(' | ')} |`
  const rule = `|${COLUMNS.map((column) => '-'.repeat(width(column) + 2)).join('|')}|`
  return [line(HEAD), rule, ...rows.map((row) => line(row))].join('\n')
}

/** The date and the machine of a run, as one line. */
export function renderMachine(parts: string): string {
  const processors = cpus()
  const model = processors[0]?.model.trim() ?? 'unknown processor'
  return `${new Date().toISOString().slice(0, 10)}, ${processors.length} × ${model}, Node ${process.version}, ${parts}, load average at the end ${loadavg()[0]?.toFixed(1) ?? '?'}`
}

const BEGIN = '<!-- results: written by pnpm bench --save -->'
const END = '<!-- end of results -->'

/** Replaces the part between the markers, or appends it. */
export async function saveResults(file: string, text: string): Promise<void> {
  const current = await readFile(file, 'utf8').catch(
    () => '# Benchmarks\n\nWhat `pnpm bench` measured: ratios to floors of the same run.\n',
  )
  const block = `${BEGIN}\n\n${text}\n\n${END}`
  const begin = current.indexOf(BEGIN)
  const end = current.indexOf(END)
  const next =
    begin >= 0 && end > begin ? current.slice(0, begin) + block + current.slice(end + END.length) : `${current.trimEnd()}\n\n${block}\n`
  await writeFile(file, next)
}
