// A real image registry (from Debian) that serves its images to one user only, and a private image of two megabytes: a static busybox that
// speaks the worker protocol in shell. Both programs are unpacked into the cache, not installed.
import type { Api } from './api.ts'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findFreePort } from '@runyard/testing/free-port'
import { runCommand, startChild, tryCommand } from './child.ts'
import { unpackDebianPackages } from './debian.ts'
import { cacheDir } from './venvs.ts'
import { waitFor } from './wait.ts'

const PACKAGES = ['docker-registry', 'busybox-static'] as const
const PROGRAMS = join(cacheDir(), 'image-registry')
const REGISTRY = join(PROGRAMS, 'usr', 'bin', 'docker-registry')
const BUSYBOX = join(PROGRAMS, 'bin', 'busybox')
const WORKER = join(import.meta.dirname, '..', 'programs', 'shell_worker.sh')

export function isImageRegistryReady(): boolean {
  return existsSync(REGISTRY) && existsSync(BUSYBOX)
}

/** @throws with apt's last lines if the packages are unavailable. */
export async function unpackImageRegistry(): Promise<void> {
  await unpackDebianPackages(PACKAGES, PROGRAMS)
}

export interface ImageRegistry extends AsyncDisposable {
  readonly username: string
  readonly password: string
  /** Pushes the private image under this name and removes it from the engine; returns its reference. */
  push(name: string): Promise<string>
  /** Pushes an image of the engine, which keeps it; returns its reference by digest. */
  publish(image: string, name: string): Promise<string>
}

const USER = { username: 'puller', password: 'a-secret-for-pulls' }
/** bcrypt of the password, four rounds. */
const HTPASSWD = 'puller:$2b$04$M/WML61tD1iJeGPN5bf9cuGIi1FnZuLQWKBl5COn0Uwk7Fx8iBb..'

/** On loopback, where engines use registries without TLS. */
export async function startImageRegistry(): Promise<ImageRegistry> {
  const dir = await mkdtemp(join(tmpdir(), 'runyard-registry-'))
  const address = `127.0.0.1:${await findFreePort()}`
  await writeFile(join(dir, 'htpasswd'), `${HTPASSWD}\n`)
  await writeFile(join(dir, 'config.yml'), JSON.stringify(configuration(dir, address)))
  const child = startChild({ name: 'image registry', command: REGISTRY, args: ['serve', join(dir, 'config.yml')] })
  const images = new Set<string>()
  const stop = async (): Promise<void> => {
    await child.stop()
    // Including the copies that workers pulled.
    for (const image of images) await tryCommand('docker', ['image', 'rm', '-f', image])
    await rm(dir, { recursive: true, force: true })
  }
  const push = async (name: string): Promise<string> => {
    const image = `${address}/${name}`
    images.add(image)
    await importWorker(join(dir, 'image'), image)
    await runCommand('docker', ['--config', dir, 'push', '-q', image])
    await runCommand('docker', ['image', 'rm', image])
    return image
  }
  const publish = async (image: string, name: string): Promise<string> => {
    const there = `${address}/${name}`
    images.add(there)
    await runCommand('docker', ['tag', image, there])
    await runCommand('docker', ['--config', dir, 'push', '-q', there])
    const digests = await runCommand('docker', ['image', 'inspect', '--format', '{{join .RepoDigests "\\n"}}', there])
    const digest = digests.split('\n').find((line) => line.startsWith(`${there.replace(/:[^:/]+$/, '')}@`))
    if (digest === undefined) throw new Error(`the engine knows no digest of ${there}: ${digests}`)
    return digest
  }
  try {
    await writeFile(join(dir, 'config.json'), JSON.stringify({ auths: { [address]: { auth: btoa(`${USER.username}:${USER.password}`) } } }))
    await waitFor('the image registry to answer', async () => (await fetch(`http://${address}/v2/`)).status === 401)
  } catch (error) {
    await stop()
    throw new Error(`the image registry did not come up:\n${child.output().slice(-2000)}`, { cause: error })
  }
  return { ...USER, push, publish, [Symbol.asyncDispose]: stop }
}

/** JSON is valid YAML. */
function configuration(dir: string, address: string) {
  return {
    version: '0.1',
    log: { level: 'error', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(dir, 'storage') } },
    http: { addr: address },
    auth: { htpasswd: { realm: 'test', path: join(dir, 'htpasswd') } },
  }
}

async function importWorker(root: string, image: string): Promise<void> {
  await mkdir(join(root, 'bin'), { recursive: true })
  await cp(BUSYBOX, join(root, 'bin', 'busybox'))
  await cp(WORKER, join(root, 'worker.sh'))
  for (const applet of ['sh', 'wget', 'sed', 'sleep']) {
    await rm(join(root, 'bin', applet), { force: true })
    await symlink('busybox', join(root, 'bin', applet))
  }
  await runCommand('tar', ['-C', root, '-cf', `${root}.tar`, '.'])
  await runCommand('docker', ['import', '--change', 'ENTRYPOINT ["sh", "/worker.sh"]', `${root}.tar`, image])
}

/** A queue endpoint whose image comes from a registry; returns its id. `registryId`: whose credentials are used. */
export async function createEndpointOf(
  api: Pick<Api, 'post'>,
  image: string,
  more: { name: string; registryId?: string | undefined },
): Promise<string> {
  const { name, registryId: registry } = more
  const hardware = { cpu: [{ id: 'cpu3c', vcpuCount: 2 }], scaling: { type: 'QUEUE_DELAY', queueDelay: 1 } }
  return String((await api.post('/v2/serverless', { name, type: 'QUEUE', image, registry, ...hardware })).json['id'])
}
