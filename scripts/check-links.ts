// `pnpm check:links`: every link of a Markdown file leads to a file of this repository, and its anchor to a heading there. No line of prose is longer than 120
// characters (tables, code and lines that hold one unbreakable link are exempt). Every row of a table has as many cells as its header. Where a text says
// `name` in [file](path), the file has that name.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

const ROOT = join(import.meta.dirname, '..')
const LINK = /\]\(([^)\s]+)\)/g
const NAME_IN_FILE = /`(\w+)`(?:, `(\w+)`)? in \[`[^`]*`\]\(([^)#\s]+)\)/g
const COLUMNS = 120

const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.md'], { cwd: ROOT, encoding: 'utf8' })
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(ROOT, file)))
const faults = files.flatMap((file) => [...brokenLinks(file), ...movedNames(file), ...longLines(file), ...unevenRows(file)])
for (const fault of faults) process.stderr.write(`${fault}\n`)
process.exitCode = faults.length === 0 ? 0 : 1

/** Where the links of a file begin: a changeset becomes a part of the changelog. */
function baseOf(file: string): string {
  return /^\.changeset\/(?!README)/.test(file) ? '' : dirname(file)
}

function brokenLinks(file: string): string[] {
  const prose = proseLines(file).map(({ text }) => text.replace(/`[^`]*`/g, ''))
  return [...prose.join('\n').matchAll(LINK)].flatMap(([, target = '']) => {
    if (/^[a-z]+:/.test(target)) return []
    const [path = '', anchor] = target.split('#')
    const found = path === '' ? file : normalize(join(baseOf(file), path))
    if (!existsSync(join(ROOT, found))) return [`${file}: ${target} does not exist`]
    const known = anchor === undefined || !found.endsWith('.md') || anchorsOf(found).has(anchor)
    return known ? [] : [`${file}: ${found} has no heading #${anchor}`]
  })
}

function movedNames(file: string): string[] {
  return [...readFileSync(join(ROOT, file), 'utf8').matchAll(NAME_IN_FILE)].flatMap(([, first, second, path = '']) => {
    const found = normalize(join(dirname(file), path))
    if (!existsSync(join(ROOT, found))) return []
    const words = new Set(readFileSync(join(ROOT, found), 'utf8').match(/\w+/g))
    const moved = [first, second].filter((name) => name !== undefined && !words.has(name))
    return moved.map((name) => `${file}: ${found} has no ${name}`)
  })
}

function longLines(file: string): string[] {
  return proseLines(file)
    .filter(({ text }) => text.length > COLUMNS && !text.startsWith('|') && /\S\s+\S/.test(text.slice(0, COLUMNS)))
    .map(({ text, line }) => `${file}:${line}: ${text.length} characters; wrap prose at ${COLUMNS}`)
}

function unevenRows(file: string): string[] {
  let header: number | undefined
  return proseLines(file).flatMap(({ text, line }) => {
    if (!text.startsWith('|')) {
      header = undefined
      return []
    }
    // A cell may hold an escaped bar, and code keeps its bars only if they are escaped, too.
    const cells = text.replaceAll(String.raw`\|`, '').split('|').length - 2
    header ??= cells
    return cells === header ? [] : [`${file}:${line}: ${cells} cells in a table of ${header} columns`]
  })
}

function proseLines(file: string): { text: string; line: number }[] {
  let fenced = false
  return readFileSync(join(ROOT, file), 'utf8')
    .split('\n')
    .map((text, index) => ({ text, line: index + 1 }))
    .filter(({ text }) => {
      const fence = text.trimStart().startsWith('```')
      if (fence) fenced = !fenced
      return !fence && !fenced
    })
}

/** The anchors of a file's headings, as GitHub makes them. */
function anchorsOf(file: string): Set<string> {
  const headings = proseLines(file).filter(({ text }) => text.startsWith('#'))
  return new Set(headings.map(({ text }) => toAnchor(text)))
}

function toAnchor(heading: string): string {
  return heading
    .replace(/^#+\s*/, '')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-')
}
