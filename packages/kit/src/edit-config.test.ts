import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { addHosts, removeHost } from './edit-config.ts'

let dir: string
let path: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'runyard-edit-'))
  path = join(dir, 'runyard.yaml')
})
afterEach(() => rm(dir, { recursive: true }))

it('adds to a file that does not exist, to one without hosts, and to a list', async () => {
  await addHosts(path, [{ kind: 'process', id: 'here' }])
  expect(await readFile(path, 'utf8')).toBe('hosts:\n  - kind: process\n    id: here\n')
  await writeFile(path, 'listen: { port: 1 } # mine\n')
  await addHosts(path, [{ id: 'a' }, { id: 'b' }])
  expect(await readFile(path, 'utf8')).toBe('listen: { port: 1 } # mine\nhosts:\n  - id: a\n  - id: b\n')
})

it('keeps comments, and removes one host with what was written about it', async () => {
  await writeFile(path, '# Our pool.\nhosts:\n  # the old box\n  - ssh://old\n  # the new box\n  - ssh://new\n# the end\n')
  await addHosts(path, [{ id: 'third' }])
  await removeHost(path, 0)
  const text = await readFile(path, 'utf8')
  expect(text).toContain('# Our pool.')
  expect(text).toContain('- ssh://new')
  expect(text).not.toContain('ssh://old')
  expect(text).toContain('- id: third')
})

it('refuses a file that is no YAML and leaves it as it is', async () => {
  await writeFile(path, 'hosts: [')
  await expect(addHosts(path, [{ id: 'a' }])).rejects.toThrow(`${path} is not valid YAML: `)
  expect(await readFile(path, 'utf8')).toBe('hosts: [')
})
