// `node scripts/numbers.ts [DIRECTORY]`: the size and grain of the code, to see whether they improve; of this repository, or of a checkout of an earlier
// commit. Functions are measured by their indentation, which the formatter guarantees.
import { globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const root = resolve(process.argv[2] ?? join(import.meta.dirname, '..'))
const SMALL = 40
/** A file of one thought that only one other file needs may belong into that one. */
const FRAGMENT = 45
const MAX_FILE = 300
const MAX_FUNCTION = 50
const MAX_TEST = 600
const SHOWN = 8
const NAMED_FUNCTION =
  /^(\s*)(?:export )?(?:async )?(?:function\*? |(?:const |readonly )?(?=\w+(?:: [^=]+)? (?:=|:) (?:async )?(?:\(|<|\w+ =>).*(?:=>|\($))|(?=\w+\(.*(?:\{|\()$))(\w+)/
const KEYWORDS = new Set(['if', 'for', 'while', 'switch', 'catch', 'return', 'expect', 'await', 'it', 'test', 'describe'])
const HARD_WORDS = ['told', 'tells', 'nobody', 'whoever']
/** Tests, and test support among production sources; also by the names that it had before it got a folder of its own. */
const SUPPORT =
  /\.test\.ts$|-fixture\.ts$|\/testing\/|\/fuzz\/|\/(?:use-gateway|use-test-app|test-app|test-store|job-commands|job-model|model-command|stream-commands)\.ts$/

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

const sources = read('{apps,packages,packages/hosts}/*/src/**/*.{ts,tsx}')
const isSupport = ({ path }: Source): boolean => SUPPORT.test(path) || path.startsWith('packages/testing/')
const production = sources.filter((source) => !isSupport(source))
const packages = Map.groupBy(production, ({ path }) => path.slice(0, path.indexOf('/src/')))

print(['package', 'files', 'lines', 'code', 'median', 'mean', 'p90', 'max', `files ≤ ${SMALL}`])
for (const [name, files] of [...packages].toSorted(([left], [right]) => left.localeCompare(right))) print([name, ...describe(files)])
print(['all', ...describe(production)])
const tests = [...sources.filter(isSupport), ...read(['test/**/*.ts', 'scripts/**/*.test.ts'])]
print(['tests', `${tests.length}`, `${sum(tests.map(({ lines }) => lines))}`])

const functions = production.flatMap(functionsOf)
const lengths = functions.map(({ lines }) => lines).toSorted((left, right) => left - right)
const importers = countImporters()
const fragments = production.filter(({ path, lines }) => lines <= FRAGMENT && importers.get(path) === 1)
const imported = sum(
  production.map(({ text }) =>
    sum([...text.matchAll(/^(?:import|export) [^=]*? from '[^']+'$/gm)].map(([match]) => match.split('\n').length)),
  ),
)
say(
  `${functions.length} named functions: median ${at(lengths, 0.5)}, mean ${mean(lengths)}, p90 ${at(lengths, 0.9)}, max ${lengths.at(-1)} lines`,
)
say(`${fragments.length} files of ≤ ${FRAGMENT} lines with one importer, ${sum(fragments.map(({ lines }) => lines))} lines`)
say(`${imported} lines are imports and re-exports, ${((100 * imported) / sum(production.map(({ lines }) => lines))).toFixed(1)} %`)
say(
  `${count(production, / as (?!const\b)[\w{([]/, /^(?:import|export) |^ {2}\w+ as \w+,$/)} casts, ${count(production, /oxlint-disable/)} oxlint-disables`,
)
// What stands for how much the code does: the code behind each is to become less.
const scripts = count(
  sources.filter(({ path }) => path.startsWith('packages/store/')),
  /defineScript\(|lua: `/,
)
const commands = count(
  sources.filter(({ path }) => /^apps\/cli\/src\/(?:\w+-)?commands\.ts$/.test(path)),
  /^ {4}name: '/,
)
say(`${scripts} Redis scripts, ${perUnit('packages/store', scripts)} lines of the store each, with their Lua`)
say(`${commands} commands, ${perUnit('apps/cli', commands)} lines of the CLI each`)
const calls = sum(tests.map(({ text }) => (text.match(/^\s*(?:it|test|testWhere)(?:\.\w+)*\(/gm) ?? []).length))
say(
  `${calls} calls of it and test; ${sources.filter((source) => isSupport(source) && !source.path.endsWith('.test.ts')).length} files of test support`,
)
const prose = [...sources, ...read(['test/**/*.ts', 'scripts/**/*.ts', 'docs/*.md', 'docs/adr/*.md', '*.md', 'apps/agent/runner/**/*.py'])]
for (const word of HARD_WORDS) {
  const found = sum(prose.map(({ text }) => (text.match(new RegExp(`\\b${word}\\b`, 'gi')) ?? []).length))
  say(`"${word}" stands ${found} times in code, tests and docs`)
}
show(
  `files over ${MAX_FILE} lines`,
  [...production, ...sources.filter(isSupport).filter(({ path }) => !path.endsWith('.test.ts'))],
  MAX_FILE,
)
show(`tests over ${MAX_TEST} lines`, tests, MAX_TEST)
show(`functions over ${MAX_FUNCTION} lines`, functions, MAX_FUNCTION)

interface Measured {
  readonly path: string
  readonly lines: number
}

function describe(files: readonly Source[]): readonly string[] {
  const sizes = files.map(({ lines }) => lines).toSorted((left, right) => left - right)
  const small = sizes.filter((size) => size <= SMALL).length
  const code = sum(files.map(({ text }) => codeOf(text).length))
  return [files.length, sum(sizes), code, at(sizes, 0.5), mean(sizes), at(sizes, 0.9), sizes.at(-1) ?? 0, small].map(String)
}

/** Lines that are neither empty nor a comment. */
function codeOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => !/^\s*(?:$|\/\/|\/\*|\*)/.test(line))
}

/** From its first line to the last one that is indented deeper, or closes it. */
function functionsOf({ path, text }: Source): readonly Measured[] {
  const lines = text.split('\n')
  return lines.flatMap((line, start) => {
    const [, indent = '', name] = NAMED_FUNCTION.exec(line) ?? []
    if (name === undefined || KEYWORDS.has(name)) return []
    const belongs = new RegExp(`^${indent}(?:\\s|[)}\\]])|^$`)
    let end = start + 1
    while (end < lines.length && belongs.test(lines[end] ?? '')) end += 1
    while (lines[end - 1] === '') end -= 1
    return [{ path: `${path} ${name}`, lines: end - start }]
  })
}

/** Production file → how many others import it. An index stands for all who import the package; what is loaded on use is apart on purpose. */
function countImporters(): ReadonlyMap<string, number> {
  const targets = production.flatMap(({ path, text }) => {
    const names = [...text.matchAll(/from '(\.[^']+)'/g)].map(([, name = '']) => join(path, '..', name))
    return path.endsWith('/index.ts') ? [...names, ...names] : [...new Set(names)]
  })
  return new Map(
    Map.groupBy(targets, (path) => path)
      .entries()
      .map(([path, all]) => [path, all.length]),
  )
}

function perUnit(name: string, units: number): number {
  const lua = read(`${name}/src/**/*.lua`)
  return Math.round(sum([...(packages.get(name) ?? []), ...lua].map(({ lines }) => lines)) / units)
}

/** Lines of code that match one pattern and not the other. */
function count(files: readonly Source[], pattern: RegExp, not = /^\b$/): number {
  return sum(files.map(({ text }) => codeOf(text).filter((line) => pattern.test(line) && !not.test(line)).length))
}

function show(title: string, all: readonly Measured[], above: number): void {
  const found = all.filter(({ lines }) => lines > above).toSorted((left, right) => right.lines - left.lines)
  say(
    `${found.length} ${title}${found
      .slice(0, SHOWN)
      .map(({ path, lines }) => `\n    ${lines} ${path}`)
      .join('')}`,
  )
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

function mean(numbers: readonly number[]): number {
  return Math.round((10 * sum(numbers)) / numbers.length) / 10
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

function print(cells: readonly string[]): void {
  say(cells.map((cell, column) => (column === 0 ? cell.padEnd(28) : cell.padStart(12))).join(''))
}
