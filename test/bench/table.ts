// One row per ratio of design §6: what we took, what the floor took in the same run, the ratio, the budget. Nothing is asserted.
import { readFile, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'

export interface Row {
  readonly path: string
  readonly ours: string
  readonly floor: string
  readonly ratio: string
  readonly budget: string
}

const HEAD: Row = { path: 'path', ours: 'Runyard', floor: 'floor', ratio: 'ratio', budget: 'budget' }
const COLUMNS = ['path', 'ours', 'floor', 'ratio', 'budget'] as const

export function renderTable(rows: readonly Row[]): string {
  const width = (column: (typeof COLUMNS)[number]): number => Math.max(...[HEAD, ...rows].map((row) => row[column].length))
  const line = (row: Row): string => `| ${COLUMNS.map((column) => row[column].padEnd(width(column))).join(' | ')} |`
  const rule = `|${COLUMNS.map((column) => '-'.repeat(width(column) + 2)).join('|')}|`
  return [line(HEAD), rule, ...rows.map((row) => line(row))].join('\n')
}

/** Median, extremes and the machine's state belong to a number (what was measured, on what). */
export function renderMachine(redis: string): string {
  const processors = cpus()
  const model = processors[0]?.model.trim() ?? 'unknown processor'
  return `${new Date().toISOString().slice(0, 10)}, ${processors.length} × ${model}, Node ${process.version}, ${redis}`
}

const BEGIN = '<!-- results: written by pnpm bench --save -->'
const END = '<!-- end of results -->'

/** Replaces the part between the marks, or appends it. */
export async function saveResults(file: string, text: string): Promise<void> {
  const current = await readFile(file, 'utf8').catch(
    () => '# Benchmarks\n\nWhat `pnpm bench` measured: ratios to floors of the same run (design §6).\n',
  )
  const block = `${BEGIN}\n\n${text}\n\n${END}`
  const begin = current.indexOf(BEGIN)
  const end = current.indexOf(END)
  const next =
    begin >= 0 && end > begin ? current.slice(0, begin) + block + current.slice(end + END.length) : `${current.trimEnd()}\n\n${block}\n`
  await writeFile(file, next)
}
