// Writes the reference of metrics in docs/monitoring.md from the table of metrics; with --check, fails if the file on disk is out of date.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { METRIC_SCOPES, METRICS, type MetricRow } from '../packages/core/src/metric-table.ts'

const FILE = join(import.meta.dirname, '..', 'docs', 'monitoring.md')
const [BEGIN, END] = ['<!-- reference: node scripts/write-metrics-docs.ts -->', '<!-- end of the reference -->']

const TITLES = { pool: 'Pool facts', process: 'Process facts' } as const

const describeLabel = ({ values = {} }: MetricRow, label: string): string => {
  const known = values[label]
  return known === undefined ? `\`${label}\`` : `\`${label}\` (${known.join(', ')})`
}

const rowsOf = (scope: (typeof METRIC_SCOPES)[number]): readonly string[] =>
  Object.entries(METRICS)
    .filter(([, row]) => row.scope === scope)
    .map(([name, row]) => {
      const labels = row.labels.map((label) => describeLabel(row, label)).join(', ')
      return `| \`${name}\` | ${row.kind} | ${labels === '' ? '–' : labels} | ${row.help} |`
    })

const tables = METRIC_SCOPES.map((scope) =>
  [`### ${TITLES[scope]}`, '', '| metric | kind | labels | meaning |', '|---|---|---|---|', ...rowsOf(scope)].join('\n'),
)

const before = readFileSync(FILE, 'utf8')
const [from, to] = [before.indexOf(BEGIN), before.indexOf(END)]
if (from === -1 || to === -1) throw new Error(`docs/monitoring.md lacks a line "${from === -1 ? BEGIN : END}"`)
const text = `${before.slice(0, from + BEGIN.length)}\n\n${tables.join('\n\n')}\n\n${before.slice(to)}`

if (process.argv.includes('--check')) {
  if (before !== text) {
    process.stderr.write('docs/monitoring.md is out of date: run node scripts/write-metrics-docs.ts\n')
    process.exitCode = 1
  }
} else {
  writeFileSync(FILE, text)
}
