// Which files of `.changeset` a release cannot use, and why. `changeset version` would find out only then.
import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parseChangesetFile } from '@changesets/parse'

const MANIFESTS = ['package.json', '{apps,packages,packages/hosts}/*/package.json', 'test/package.json']

/** One sentence per mistake. */
export function findWrongChangesets(root: string): readonly string[] {
  const names = globSync(MANIFESTS, { cwd: root }).flatMap((path) => {
    const { name, version } = JSON.parse(readFileSync(join(root, path), 'utf8')) as { readonly name: string; readonly version?: string }
    return version === undefined ? [] : [name]
  })
  return globSync('.changeset/*.md', { cwd: root })
    .filter((path) => basename(path) !== 'README.md')
    .flatMap((path) => judge(readFileSync(join(root, path), 'utf8'), names).map((mistake) => `${path} ${mistake}`))
}

function judge(text: string, names: readonly string[]): readonly string[] {
  try {
    const { releases, summary } = parseChangesetFile(text)
    const unknown = releases.filter(({ name }) => !names.includes(name)).map(({ name }) => name)
    return [
      ...(releases.length === 0 ? ['names no package'] : []),
      ...unknown.map((name) => `names ${name}, which has no version; those with one are ${names.toSorted().join(', ')}`),
      ...(/^\*\*.+\*\*/.test(summary) ? [] : ['does not begin with its subject in bold']),
    ]
  } catch (error) {
    return [`cannot be read: ${String(error)}`]
  }
}
