// Real debootstrap on mirrors in a directory. Needs root, as the real use does.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, expect } from 'vitest'
import { directory as base, it } from '@runyard/testing/directory'
import { makeTree } from './debootstrap.ts'

beforeEach(async () => {
  await mkdir(join(base, 'dists', 'bookworm'), { recursive: true })
  await writeFile(join(base, 'dists', 'bookworm', 'Release'), 'Suite: bookworm\nCodename: bookworm\nComponents: main\nSHA256:\n')
})

function make(keyring: string | undefined): Promise<void> {
  const source = { mirror: `file://${base}`, suite: 'bookworm', components: ['main'], keyring }
  return makeTree(source, { root: join(base, 'root'), packages: ['ca-certificates'], onProgress: () => undefined, signal: undefined })
}

it('takes nothing from a mirror that has no signature', async () => {
  await expect(make(undefined)).rejects.toThrow(/^debootstrap could not make the base image: .*release signature/)
})

it('takes nothing where the keyring that is to check the signature is missing', async () => {
  await writeFile(join(base, 'dists', 'bookworm', 'InRelease'), 'signed by none\n')
  await expect(make(join(base, 'missing.gpg'))).rejects.toThrow(/^debootstrap could not make the base image: .*missing\.gpg/)
})
