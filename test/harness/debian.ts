// Programs of Debian's, unpacked into the cache, not installed: nothing is started on the machine, and no package of its owner is replaced.
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCommand } from './child.ts'

/** @throws with apt's last lines where the packages cannot be had. */
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
