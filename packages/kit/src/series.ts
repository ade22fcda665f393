// Series of a table of metrics, and their text for Prometheus (exposition format 0.0.4). Counting is a look-up and an addition: a hot path keeps the cell
// and pays the addition alone. Written here because a library that hashes label objects at each count costs the hot path more than all the rest of a metric
// does (ADR 73).
export interface SeriesRow {
  readonly kind: 'counter' | 'gauge' | 'histogram' | 'summary'
  readonly help: string
  readonly labels: readonly string[]
  readonly buckets?: readonly number[]
}

export type SeriesTable<N extends string> = Readonly<Record<N, SeriesRow>>

/** Of a counter or a gauge. */
export interface Value {
  value: number
}

export interface Distribution {
  /** Per bucket, each without the lower ones; the last one is for what is above all bounds. */
  readonly counts: number[]
  sum: number
  count: number
}

export interface Sample {
  /** In the order of the row's labels. */
  readonly values: readonly string[]
  readonly reading: Value | Distribution
}

/** By the name of the metric. */
export type Samples<N extends string> = ReadonlyMap<N, readonly Sample[]>

export interface Series<N extends string> {
  /** The cell of a counter or a gauge, made at first use. */
  value(name: N, ...values: readonly string[]): Value
  /** The cell of a histogram or a summary. */
  distribution(name: N, ...values: readonly string[]): Distribution
  add(name: N, values: readonly string[], by: number): void
  set(name: N, values: readonly string[], value: number): void
  observe(name: N, values: readonly string[], value: number): void
  /** Drops the series whose first label value is not kept. */
  keep(name: N, isKept: (first: string) => boolean): void
  samples(): Samples<N>
}

export function createSeries<N extends string>(table: SeriesTable<N>): Series<N> {
  const families = new Map<N, Map<string, Sample>>()

  function sampleOf(name: N, values: readonly string[]): Sample {
    const known = families.get(name)
    const family = known ?? new Map<string, Sample>()
    if (known === undefined) families.set(name, family)
    const key = values.join('\n')
    const found = family.get(key)
    if (found !== undefined) return found
    const made = { values, reading: newReading(table[name]) }
    family.set(key, made)
    return made
  }

  const value = (name: N, ...values: readonly string[]): Value => {
    const { reading } = sampleOf(name, values)
    if ('value' in reading) return reading
    throw new TypeError(`${name} is not a counter or a gauge`)
  }
  const distribution = (name: N, ...values: readonly string[]): Distribution => {
    const { reading } = sampleOf(name, values)
    if ('counts' in reading) return reading
    throw new TypeError(`${name} is not a histogram or a summary`)
  }
  return {
    value,
    distribution,
    add(name, values, by) {
      value(name, ...values).value += by
    },
    set(name, values, to) {
      value(name, ...values).value = to
    },
    observe(name, values, seen) {
      observeIn(distribution(name, ...values), table[name].buckets, seen)
    },
    keep(name, isKept) {
      const family = families.get(name) ?? new Map<string, Sample>()
      for (const [key, { values }] of family) if (!isKept(values[0] ?? '')) family.delete(key)
    },
    samples: () => new Map([...families].map(([name, family]) => [name, [...family.values()]])),
  }
}

function newReading({ kind, buckets = [] }: SeriesRow): Value | Distribution {
  if (kind === 'counter' || kind === 'gauge') return { value: 0 }
  return { counts: Array.from({ length: buckets.length + 1 }, () => 0), sum: 0, count: 0 }
}

const NO_BUCKETS: readonly number[] = []

export function observeIn(cell: Distribution, buckets: readonly number[] = NO_BUCKETS, seen: number): void {
  let at = 0
  while (at < buckets.length && seen > (buckets[at] ?? Infinity)) at += 1
  cell.counts[at] = (cell.counts[at] ?? 0) + 1
  cell.sum += seen
  cell.count += 1
}

/** The text of all parts: each metric once, in the order of the table. */
export function renderSeries<N extends string>(table: SeriesTable<N>, parts: readonly Samples<N>[]): string {
  const lines: string[] = []
  for (const name in table) {
    const samples = parts.flatMap((part) => part.get(name) ?? [])
    if (samples.length === 0) continue
    const row = table[name]
    lines.push(`# HELP ${name} ${row.help}`, `# TYPE ${name} ${row.kind}`)
    const bounds = (row.buckets ?? NO_BUCKETS).map((bound) => `le="${bound}"`)
    for (const sample of samples) writeSample(lines, { name, row, bounds }, sample)
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

interface Family {
  readonly name: string
  readonly row: SeriesRow
  readonly bounds: readonly string[]
}

function writeSample(lines: string[], { name, row, bounds }: Family, { values, reading }: Sample): void {
  const labels = row.labels.map((label, at) => `${label}="${escapeLabel(values[at] ?? '')}"`).join(',')
  const all = labels === '' ? '' : `{${labels}}`
  if ('value' in reading) {
    lines.push(`${name}${all} ${toNumber(reading.value)}`)
    return
  }
  if (row.kind === 'histogram') {
    const before = labels === '' ? '' : `${labels},`
    let below = 0
    for (const [at, bound] of bounds.entries()) {
      below += reading.counts[at] ?? 0
      lines.push(`${name}_bucket{${before}${bound}} ${below}`)
    }
    lines.push(`${name}_bucket{${before}le="+Inf"} ${reading.count}`)
  }
  lines.push(`${name}_sum${all} ${toNumber(reading.sum)}`, `${name}_count${all} ${reading.count}`)
}

function toNumber(value: number): string {
  if (Number.isFinite(value)) return String(value)
  if (Number.isNaN(value)) return 'NaN'
  return value > 0 ? '+Inf' : '-Inf'
}

const SPECIAL = /[\\"\n]/g

function escapeLabel(value: string): string {
  return value.replaceAll(SPECIAL, (found) => (found === '\n' ? String.raw`\n` : `\\${found}`))
}
