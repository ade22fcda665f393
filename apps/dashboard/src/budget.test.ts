// What browsers load of the page, compressed with gzip: at the start, and over all pages (the budgets of its bundle).
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'

const DIST = join(import.meta.dirname, '..', 'dist')
const ASSETS = join(DIST, 'assets')
const KB = 1000

const kilobytes = (names: readonly string[]): number => names.reduce((sum, name) => sum + statSync(join(ASSETS, `${name}.gz`)).size, 0) / KB

/** What a file names: of a script only what it imports before it runs, or all that it may load later. */
const IMPORTED = /(?:from|import)\s*"\.\/([\w-]+\.js)"/gu
const NAMED = /\.\/(?:assets\/)?([\w-]+\.(?:js|css|svg))/gu

/** The files that these reach. Others may be left of an earlier build. */
function reachedFrom(names: readonly string[], pattern: RegExp): readonly string[] {
  const reached = new Set<string>()
  const visit = (name: string): void => {
    if (reached.has(name)) return
    reached.add(name)
    if (name.endsWith('.js')) for (const found of namesIn(readFileSync(join(ASSETS, name), 'utf8'), pattern)) visit(found)
  }
  for (const name of names) visit(name)
  return [...reached]
}

const namesIn = (text: string, pattern: RegExp): readonly string[] => [...text.matchAll(pattern)].map(([, name = '']) => name)

beforeAll(() => {
  if (!existsSync(DIST)) throw new Error('The page is not built; build it with: ./runyard exec pnpm --filter @runyard/dashboard build')
})

describe('the page as it is built', () => {
  const html = (): string => readFileSync(join(DIST, 'index.html'), 'utf8')
  const all = () => reachedFrom(namesIn(html(), NAMED), NAMED)
  const ending = (names: readonly string[], word: string) => names.filter((name) => name.endsWith(word))

  it('loads at most 170 kB of scripts at the start, 300 kB over all pages, and 20 kB of styles', () => {
    const first = [...namesIn(html(), NAMED), ...all().filter((name) => /^yard-page-.*\.js$/u.test(name))]
    const start = ending(reachedFrom(first, IMPORTED), '.js')
    expect(start.length).toBeGreaterThan(2)
    expect(ending(all(), '.js').length).toBeGreaterThan(start.length + 10)
    expect(kilobytes(start)).toBeLessThanOrEqual(170)
    expect(kilobytes(ending(all(), '.js'))).toBeLessThanOrEqual(300)
    expect(kilobytes(ending(all(), '.css'))).toBeLessThanOrEqual(20)
  })

  it('loads at most 150 kB in 30 files for the first look at the Yard, as browsers get them', () => {
    const yard = all().find((name) => /^yard-page-.*\.js$/u.test(name)) ?? ''
    const styles = namesIn(readFileSync(join(ASSETS, yard), 'utf8'), NAMED).filter((name) => name.endsWith('.css'))
    const first = new Set([...reachedFrom([...namesIn(html(), NAMED), yard], IMPORTED), ...styles])
    const bytes = [...first].reduce((sum, name) => sum + statSync(join(ASSETS, `${name}.br`)).size, html().length)
    expect(bytes / KB).toBeLessThanOrEqual(150)
    expect(first.size).toBeLessThanOrEqual(30)
  })

  it('shows its name before any script has run', () => {
    const [, shown = ''] = /<div id="root">(.+)<\/div>/u.exec(html()) ?? []
    const [, style = ''] = /class="([\w-]+)"/u.exec(shown) ?? []
    expect(shown).toContain('Runyard')
    expect(readFileSync(join(ASSETS, ending(namesIn(html(), NAMED), '.css')[0] ?? ''), 'utf8')).toContain(`.${style}`)
  })

  it('has a copy of each file in both codings', () => {
    expect(all().filter((name) => !['br', 'gz'].every((coding) => existsSync(join(ASSETS, `${name}.${coding}`))))).toEqual([])
  })

  it('names no other host, and has neither scripts nor styles in its HTML', () => {
    expect(html()).not.toMatch(/https?:|<style|style=|<script(?![^>]*src)/u)
  })
})
