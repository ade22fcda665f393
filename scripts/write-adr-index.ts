// Writes docs/adr/README.md, the index of decision records, from their titles and statuses; with --check, fails when the index on disk is out
// of date. A record without a title or a status is an error, and so is a gap in the numbers that is not explained here.
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const FOLDER = join(import.meta.dirname, '..', 'docs', 'adr')
const INDEX = join(FOLDER, 'README.md')

/** Number → why there is no record with it. */
const GAPS: Readonly<Record<number, string>> = {
  30: 'number never used',
  58: 'number never used',
}

const HEAD = `# Decision records

Why Runyard is built the way it is: one record per decision, numbered in the order of time. A record says what the
problem was (Context), what was decided (Decision) and what follows from it (Consequences). To add one, take the next
number, and run \`node scripts/write-adr-index.ts\`, which writes this page.

| record | decision | status |
|---|---|---|
`

interface AdrRecord {
  readonly number: number
  readonly row: string
}

const RECORD = /^# (?<number>\d+)\. (?<title>.+)\n\nStatus: (?<status>.+)\n/

function readRecord(file: string): AdrRecord {
  const { number = '', title = '', status = '' } = RECORD.exec(readFileSync(join(FOLDER, file), 'utf8'))?.groups ?? {}
  if (file.slice(0, 5) !== `${number.padStart(4, '0')}-`) {
    throw new Error(`docs/adr/${file} must begin with "# ${Number(file.slice(0, 4))}. Title", an empty line and "Status: accepted"`)
  }
  return { number: Number(number), row: `| [${number}](${file}) | ${title} | ${status} |` }
}

const records = globSync('[0-9]*.md', { cwd: FOLDER }).map(readRecord)
const last = Math.max(...records.map(({ number }) => number))
const rows = Array.from({ length: last }, (_, index) => {
  const number = index + 1
  const [record, second] = records.filter((one) => one.number === number)
  if (second !== undefined) throw new Error(`two records in docs/adr have the number ${number}`)
  if (record === undefined && GAPS[number] === undefined)
    throw new Error(`docs/adr has no record ${number}, and scripts/write-adr-index.ts does not say why`)
  return record?.row ?? `| ${number} | – | ${GAPS[number]} |`
})
const text = `${HEAD}${rows.join('\n')}\n`

if (!process.argv.includes('--check')) {
  writeFileSync(INDEX, text)
} else if (readFileSync(INDEX, 'utf8') !== text) {
  process.stderr.write('docs/adr/README.md is out of date: run node scripts/write-adr-index.ts\n')
  process.exitCode = 1
}
