// Unpacks programs from Debian packages into the cache without installing them: no service starts, and no installed package is replaced.
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCommand } from './child.ts'

/** @throws with apt's last lines if the packages are unavailable. */
export async function unpackDebianPackages(packages: readonly string[], into: string): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'runyard-debian-'))
  try {
    await runCommand('apt-get', ['download', '-q', ...packages], { cwd: dir })
    await mkdir(into, { recursive: true })
    for (const name of await readdir(dir)) await runCommand('dpkg-deb', ['-x', join(dir, name), into])
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}
