// Unpacks programs from Debian packages into the cache without installing them: no service starts, and no installed package is replaced.
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCommand } from './child.ts'

/** `release`: of Debian, instead of that of the machine. @throws with apt's last lines if the packages are unavailable. */
export async function unpackDebianPackages(packages: readonly string[], into: string, release?: string): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'runyard-debian-'))
  try {
    const other = release === undefined ? [] : await readRelease(release, join(dir, 'apt'))
    const packed = join(dir, 'packages')
    await mkdir(packed)
    await runCommand('apt-get', [...other, 'download', '-q', ...packages], { cwd: packed })
    await mkdir(into, { recursive: true })
    for (const name of await readdir(packed)) await runCommand('dpkg-deb', ['-x', join(packed, name), into])
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

/** Options of apt for another release, whose lists are read into this directory: the machine's own stay as they are. */
async function readRelease(release: string, dir: string): Promise<readonly string[]> {
  for (const name of ['lists/partial', 'archives/partial']) await mkdir(join(dir, name), { recursive: true })
  const [mirror] = (await runCommand('apt-get', ['indextargets', '--format', '$(REPO_URI)', 'Label: Debian'])).split('\n')
  if (mirror === undefined || mirror === '') throw new Error('this machine gets nothing from Debian')
  const sources = join(dir, 'sources.list')
  await writeFile(sources, `deb ${mirror} ${release} main\n`)
  await writeFile(join(dir, 'status'), '')
  const settings = [
    `Dir::Etc::sourcelist=${sources}`,
    'Dir::Etc::sourceparts=-',
    `Dir::State::lists=${join(dir, 'lists')}`,
    `Dir::State::status=${join(dir, 'status')}`,
    `Dir::Cache=${dir}`,
    'Acquire::Languages=none',
  ].flatMap((setting) => ['-o', setting])
  await runCommand('apt-get', [...settings, 'update', '-q'], { timeoutMs: 300_000 })
  return settings
}
