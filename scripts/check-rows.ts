// Fails when a citation of docs/protocol has no target, when no test names a row of a check list, or when a test names a row that is exempt
// here. A test names its rows in its title or in the comment above it: `client-api §13.7`, or `client-api §13.7, §13.8`.
// `--list` prints where each row is named.
import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { findCitations, parseProtocol, type Protocol } from './citations.ts'

interface CheckList {
  readonly protocol: string
  readonly section: string
  /** Row → why no test names it. */
  readonly excepted: Readonly<Record<number, string>>
}

const CHECK_LISTS: readonly CheckList[] = [
  { protocol: 'client-api', section: '13', excepted: { 23: 'load-balanced endpoints are not served yet' } },
  { protocol: 'worker-api', section: '15', excepted: {} },
  { protocol: 'worker-api', section: '17', excepted: {} },
]

const PROTOCOLS = 'docs/protocol/*.md'
const CITING = ['{apps,packages,test,scripts,docker,examples}/**/*.{ts,tsx,js,mjs,py,lua,sh,md}', 'docs/**/*.md', '*.md']
const SKIPPED = new Set(['node_modules', 'dist', '.venv', '__pycache__'])
const TEST = /^(?:(?:apps|packages)\/.*\.test\.ts|test\/(?:.*\.test\.ts|suites\/.*\.ts))$/
/** Its sample texts cite places that do not exist. */
const OF_THIS_CHECK = 'scripts/citations.test.ts'

interface CitedPlace {
  readonly protocol: string
  readonly place: string
  readonly file: string
  readonly line: number
}

const root = join(import.meta.dirname, '..')

function findFiles(patterns: string | readonly string[]): string[] {
  return globSync([patterns].flat(), { cwd: root, exclude: (path) => SKIPPED.has(basename(path)) }).toSorted()
}

function readProtocols(): Map<string, Protocol> {
  return new Map(findFiles(PROTOCOLS).map((file) => [basename(file, '.md'), parseProtocol(readFileSync(join(root, file), 'utf8'))]))
}

function readCitations(protocols: ReadonlyMap<string, Protocol>): CitedPlace[] {
  return findFiles(CITING)
    .filter((file) => file !== OF_THIS_CHECK)
    .flatMap((file) => {
      const name = basename(file, '.md')
      const own = file.startsWith('docs/protocol/') && protocols.has(name) && name !== 'README' ? name : undefined
      return findCitations(readFileSync(join(root, file), 'utf8'), own).map((citation) => ({ ...citation, file }))
    })
}

function findDeadCitations(protocols: ReadonlyMap<string, Protocol>, citations: readonly CitedPlace[]): string[] {
  return citations.flatMap(({ protocol, place, file, line }) => {
    const cited = place.startsWith('R') ? place : `§${place}`
    const target = protocols.get(protocol)
    if (protocol === '') return [`${file}:${line}: ${cited} of which file? Write for example client-api ${cited}`]
    if (target === undefined) return [`${file}:${line}: ${protocol} ${cited}: there is no docs/protocol/${protocol}.md`]
    return target.places.has(place) ? [] : [`${file}:${line}: ${protocol} ${cited} is not in docs/protocol/${protocol}.md`]
  })
}

function findWrongRows({ protocol, section, excepted }: CheckList, rows: readonly number[], citations: readonly CitedPlace[]): string[] {
  const missing = Object.keys(excepted).filter((number) => !rows.includes(Number(number)))
  if (rows.length === 0 || missing.length > 0) return [`${protocol} §${section} has no rows ${missing.join(', ')}`]
  return rows.flatMap((number) => {
    const row = `${protocol} §${section}.${number}`
    const named = citations
      .filter((citation) => citation.protocol === protocol && citation.place === `${section}.${number}` && TEST.test(citation.file))
      .map(({ file, line }) => `${file}:${line}`)
    const where = named.length > 0 ? named.join(', ') : undefined
    if (process.argv.includes('--list')) process.stdout.write(`${row}: ${where ?? excepted[number] ?? 'nowhere'}\n`)
    if ((where === undefined) !== (excepted[number] === undefined)) return []
    return [where === undefined ? `no test names ${row}` : `${row} is excepted in scripts/check-rows.ts but named in ${where}`]
  })
}

const protocols = readProtocols()
const citations = readCitations(protocols)
const wrong = [
  ...findDeadCitations(protocols, citations),
  ...CHECK_LISTS.flatMap((list) => findWrongRows(list, protocols.get(list.protocol)?.rows.get(list.section) ?? [], citations)),
]

for (const line of wrong) process.stderr.write(`${line}\n`)
process.exitCode = wrong.length === 0 ? 0 : 1
