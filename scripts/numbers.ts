// `node scripts/numbers.ts`: the size and grain of the code, to see whether they improve: files and lines by package, small files, tests, and
// words that plain English replaces.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const SMALL = 40
const HARD_WORDS = ['told', 'tells', 'nobody', 'whoever']
/** Tests, and test support among production sources. */
const SUPPORT = /\.test\.ts$|-fixture\.ts$|\/testing\//

interface Source {
  readonly path: string
  readonly text: string
  readonly lines: number
}

const read = (pattern: string | string[]): readonly Source[] =>
  globSync(pattern, { cwd: root, exclude: (path) => /node_modules|dist$/.test(path) }).map((path) => {
    const text = readFileSync(join(root, path), 'utf8')
    return { path, text, lines: text.split('\n').length - 1 }
  })

const sources = read('{apps,packages,packages/hosts}/*/src/**/*.ts')
const isSupport = ({ path }: Source): boolean => SUPPORT.test(path) || path.startsWith('packages/testing/')
const production = sources.filter((source) => !isSupport(source))
const packages = Map.groupBy(production, ({ path }) => path.slice(0, path.indexOf('/src/')))

print(['package', 'files', 'lines', 'median', 'mean', 'p90', 'max', `files ≤ ${SMALL}`])
for (const [name, files] of [...packages].toSorted(([left], [right]) => left.localeCompare(right))) print([name, ...describe(files)])
print(['all', ...describe(production)])

const tests = [...sources.filter(isSupport), ...read(['test/**/*.ts', 'scripts/**/*.test.ts'])]
const calls = tests.reduce((sum, { text }) => sum + (text.match(/^\s*(?:it|test|testWhere)(?:\.\w+)*\(/gm) ?? []).length, 0)
print(['tests', `${tests.length}`, `${tests.reduce((sum, { lines }) => sum + lines, 0)}`])
process.stdout.write(
  `${calls} calls of it and test; ${sources.filter((source) => isSupport(source) && !source.path.endsWith('.test.ts')).length} files of test support among the sources\n`,
)

const prose = [...sources, ...read(['test/**/*.ts', 'scripts/**/*.ts', 'docs/*.md', 'docs/adr/*.md', '*.md', 'apps/agent/runner/**/*.py'])]
for (const word of HARD_WORDS) {
  const count = prose.reduce((sum, { text }) => sum + (text.match(new RegExp(`\\b${word}\\b`, 'gi')) ?? []).length, 0)
  process.stdout.write(`"${word}" stands ${count} times in code, tests and docs\n`)
}

function describe(files: readonly Source[]): readonly string[] {
  const lines = files.map((file) => file.lines).toSorted((left, right) => left - right)
  const total = lines.reduce((sum, count) => sum + count, 0)
  const at = (share: number): number => lines[Math.min(lines.length - 1, Math.floor(lines.length * share))] ?? 0
  const small = lines.filter((count) => count <= SMALL).length
  return [files.length, total, at(0.5), Math.round(total / files.length), at(0.9), lines.at(-1) ?? 0, small].map(String)
}

function print(cells: readonly string[]): void {
  process.stdout.write(`${cells.map((cell, column) => (column === 0 ? cell.padEnd(28) : cell.padStart(12))).join('')}\n`)
}
