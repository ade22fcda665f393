// What is written into `.changeset`, as `pnpm check` and `changeset version` read it.
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { findWrongChangesets } from './changesets.ts'

const ROOT = join(import.meta.dirname, '..')
const PARSER = 'packages/nvidia-smi-parser'
const COPIED = ['package.json', 'pnpm-workspace.yaml', 'pnpm-lock.yaml', 'CHANGELOG.md', '.changeset/config.json']

let copy: string

beforeEach(async () => {
  copy = await mkdtemp(join(tmpdir(), 'runyard-changesets-'))
  for (const path of [...COPIED, `${PARSER}/package.json`, `${PARSER}/CHANGELOG.md`, 'packages/kit/package.json']) {
    await mkdir(dirname(join(copy, path)), { recursive: true })
    const text = await readFile(join(ROOT, path), 'utf8')
    await writeFile(join(copy, path), text.replace(/^ {2}"version": ".+"/m, '  "version": "1.2.3"'))
  }
})
afterEach(async () => rm(copy, { recursive: true }))

const write = async (name: string, text: string): Promise<void> => writeFile(join(copy, '.changeset', name), text)
const read = async (path: string): Promise<string> => readFile(join(copy, path), 'utf8')

it('a changeset becomes the newest section of the changelog, above what is there', async () => {
  await write('names.md', "---\n'runyard': minor\n---\n\n**Long names**: of endpoints.\n")
  await write('drivers.md', `---\n'@runyard/nvidia-smi-parser': patch\n---\n\n**Drivers 620** are read.\n`)
  const [before, parserBefore] = await Promise.all([read('CHANGELOG.md'), read(`${PARSER}/CHANGELOG.md`)])
  expect(findWrongChangesets(copy)).toEqual([])

  await promisify(execFile)(process.execPath, [join(ROOT, 'node_modules/@changesets/cli/bin.js'), 'version'], { cwd: copy })

  const section = '# Changelog\n\n## 1.3.0\n\n### Minor Changes\n\n- **Long names**: of endpoints.\n'
  expect(await read('CHANGELOG.md')).toBe(before.replace('# Changelog\n', section))
  expect(await read(`${PARSER}/CHANGELOG.md`)).toBe(
    parserBefore.replace('# Changes\n', '# Changes\n\n## 1.2.4\n\n### Patch Changes\n\n- **Drivers 620** are read.\n'),
  )
  expect(JSON.parse(await read('package.json'))).toMatchObject({ version: '1.3.0' })
  expect(findWrongChangesets(copy)).toEqual([])
})

it.each([
  ['the name of no package', "---\n'runyrd': minor\n---\n\n**X**\n", 'names runyrd, which has no version'],
  ['a package without a version', "---\n'@runyard/kit': minor\n---\n\n**X**\n", 'those with one are @runyard/nvidia-smi-parser, runyard'],
  ['no package', '---\n---\n\n**X**\n', 'names no package'],
  ['a size that is none', "---\n'runyard': huge\n---\n\n**X**\n", 'invalid version type'],
  ['no front matter', '**X**\n', 'cannot be read'],
  ['no text', "---\n'runyard': patch\n---\n", 'does not begin with its subject'],
])('a changeset with %s is refused in one sentence', async (_what, text, sentence) => {
  await write('wrong.md', text)
  expect(findWrongChangesets(copy)).toEqual([expect.stringContaining(sentence)])
})
