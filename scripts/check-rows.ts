// Fails when a row of a contract's check list is named by no test, or when a row that is excepted here is named after all. A test names
// its rows in its title or in the comment above it, as the contracts are cited everywhere: `client-api §13.7`, or `client-api §13.7, §13.8`.
// `--list` prints where each row is named.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

interface CheckList {
  readonly contract: string
  readonly section: number
  /** The rows of a table without numbers are counted from the top. */
  readonly rows: number
  /** Row → why no test names it. */
  readonly excepted: Readonly<Record<number, string>>
}

const CHECK_LISTS: readonly CheckList[] = [
  {
    contract: 'client-api',
    section: 13,
    rows: 23,
    excepted: { 23: 'load-balanced endpoints are not served yet' },
  },
  { contract: 'worker-api', section: 15, rows: 12, excepted: {} },
  { contract: 'worker-api', section: 17, rows: 18, excepted: {} },
]

const TESTS = ['{apps,packages}/*/src/**/*.test.ts', 'test/**/*.test.ts', 'test/suites/*.ts']
const CITATION = /\b([a-z0-9]+-api) (§[\d.]+(?:(?:, | and )§[\d.]+)*)/g

const root = join(import.meta.dirname, '..')
const places = new Map<string, string[]>()
for (const file of globSync(TESTS, { cwd: root, exclude: (path) => path.includes('node_modules') }).toSorted()) {
  const lines = readFileSync(join(root, file), 'utf8').split('\n')
  lines.forEach((line, index) => {
    for (const [, contract = '', rows = ''] of line.matchAll(CITATION)) {
      for (const row of rows.match(/[\d.]*\d/g) ?? []) addPlace(`${contract} §${row}`, `${file}:${index + 1}`)
    }
  })
}

function addPlace(row: string, place: string): void {
  places.set(row, [...(places.get(row) ?? []), place])
}

const wrong = CHECK_LISTS.flatMap(({ contract, section, rows, excepted }) =>
  Array.from({ length: rows }, (_, index) => index + 1).flatMap((number) => {
    const row = `${contract} §${section}.${number}`
    const named = places.get(row)
    if (process.argv.includes('--list')) process.stdout.write(`${row}: ${named?.join(', ') ?? excepted[number] ?? 'nowhere'}\n`)
    if ((named === undefined) !== (excepted[number] === undefined)) return []
    return [named === undefined ? `no test names ${row}` : `${row} is excepted in scripts/check-rows.ts but named in ${named.join(', ')}`]
  }),
)

for (const line of wrong) process.stderr.write(`${line}\n`)
process.exitCode = wrong.length === 0 ? 0 : 1
