// A base image without a registry: debootstrap into a temporary directory, then an import. Needs root and debootstrap, and uses the package mirrors of
// this machine. The tag contains a hash of the recipe, so the image is built once.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RunyardError } from '@runyard/schema'
import { findPackageSource } from './apt-sources.ts'
import { makeTree } from './debootstrap.ts'
import { onEngine, type Engine } from './engine.ts'
import { findImage, followProgress } from './images.ts'

const PACKAGES = ['ca-certificates', 'python3', 'python3-pip', 'python3-venv']
const DEFAULT_SUITE = 'bookworm'
const CONFIG = ['ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'CMD ["python3"]']
/** Left behind by the installation and of no use in an image. */
const USELESS = [
  './var/cache/apt/archives/*.deb',
  './var/lib/apt/lists/*',
  './usr/share/doc/*',
  './usr/share/man/*',
  './usr/share/locale/*',
]

export interface BaseImageOptions {
  readonly engine: Engine
  readonly onProgress: (line: string) => void
  readonly signal?: AbortSignal | undefined
}

/** The image's name; made if it is not there. About a minute on two cores. */
export async function bootstrapBaseImage({ engine, onProgress, signal }: BaseImageOptions): Promise<string> {
  const source = findPackageSource(await readAptFiles()) ?? {
    mirror: undefined,
    suite: DEFAULT_SUITE,
    components: ['main'],
    keyring: undefined,
  }
  const recipe = createHash('sha256').update(JSON.stringify([source.suite, source.components, PACKAGES, CONFIG, USELESS]))
  const tag = `${source.suite}-${recipe.digest('hex').slice(0, 12)}`
  const image = `runyard/base:${tag}`
  if (await onEngine(engine, `look for the image ${image}`, async (docker) => (await findImage(docker, image)) !== undefined)) return image
  if (process.getuid?.() !== 0)
    throw new RunyardError('forbidden', 'Making a base image with debootstrap needs root: run this once with sudo.')
  const root = await mkdtemp(join(tmpdir(), 'runyard-base-'))
  try {
    onProgress(`making the base image ${image} with debootstrap`)
    await makeTree(source, { root, packages: PACKAGES, onProgress, signal })
    onProgress(`importing ${image}`)
    await importTree(root, { engine, tag, signal })
  } finally {
    await rm(root, { recursive: true, force: true })
  }
  return image
}

async function readAptFiles(): Promise<{ osRelease: string; sources: readonly string[] }> {
  const read = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '')
  const names = await readdir('/etc/apt/sources.list.d').catch(() => [])
  const paths = ['/etc/apt/sources.list', ...names.map((name) => join('/etc/apt/sources.list.d', name))]
  return { osRelease: await read('/etc/os-release'), sources: await Promise.all(paths.map(read)) }
}

async function importTree(
  root: string,
  { engine, tag, signal }: { engine: Engine; tag: string; signal: AbortSignal | undefined },
): Promise<void> {
  const excludes = USELESS.map((pattern) => `--exclude=${pattern}`)
  const tar = spawn('tar', ['--numeric-owner', ...excludes, '-C', root, '-c', '.'], { stdio: ['ignore', 'pipe', 'ignore'], signal })
  const packed = new Promise<number | null>((resolve, reject) => tar.once('error', reject).once('close', resolve))
  const imported = onEngine(engine, 'import the base image', async (docker) => {
    const answer = await docker.importImage(tar.stdout, { repo: 'runyard/base', tag, changes: CONFIG.join('\n') })
    await followProgress(docker, answer, () => undefined)
  })
  // Awaited together: a Ctrl-C ends tar while the engine still reads.
  const [code] = await Promise.all([packed, imported])
  if (code !== 0) throw new RunyardError('internal', 'tar could not pack the base image.')
}
