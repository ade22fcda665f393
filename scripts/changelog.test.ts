// The changelog is written by hand; this is what a tool would see to: one version for all packages, and known sections.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '..')
const SECTIONS = ['Clients and workers', 'Scaling and failures', 'Data', 'Security and limits', 'Operation']
const PACKAGES = ['package.json', ...globSync('{apps,packages,packages/hosts}/*/package.json', { cwd: ROOT }), 'test/package.json']

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
const versionOf = (path: string): unknown => (JSON.parse(read(path)) as { readonly version?: unknown }).version

test('every package has the version of the newest section of the changelog', () => {
  const [, newest] = /^## (\d+\.\d+\.\d+)(?: \(unreleased\))?$/m.exec(read('CHANGELOG.md')) ?? []
  expect(newest).toBeDefined()
  expect(PACKAGES.filter((path) => versionOf(path) !== newest)).toEqual([])
})

test('a release has no other sections than these, in their order, and its entries are lists', () => {
  for (const release of read('CHANGELOG.md').split(/^## /m).slice(1)) {
    const [, ...sections] = release.split(/^### /m)
    const names = sections.map((section) => section.split('\n', 1)[0])
    expect(names).toEqual(SECTIONS.filter((name) => names.includes(name)))
    for (const section of sections)
      expect(
        section
          .slice(section.indexOf('\n'))
          .trim()
          .split(/\n(?! )/),
      ).toSatisfy(isList)
  }
})

const isList = (entries: readonly string[]): boolean => entries.every((entry) => entry.startsWith('- '))
