// Builds the default worker image on a real engine: from packages whose hashes are in the repository, through an index with a password that
// appears nowhere afterwards, on a base image pinned by its digest.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { bootstrapBaseImage, ensureWorkerImage, ensureWorkerNetwork, openEngine } from '@runyard/host-docker'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runCommand, tryCommand } from '../harness/child.ts'
import { startImageRegistry, type ImageRegistry } from '../harness/image-registry.ts'
import { suiteThatNeeds } from '../harness/suite.ts'
import { WORKER_IMAGE } from '../harness/worker-image.ts'

const socket = '/var/run/docker.sock'
const engine = openEngine({ kind: 'unix', socket })
const DOCKER = join(import.meta.dirname, '..', '..', 'docker')
const IMAGE = 'runyard-test/worker-image:latest'
const GPU_IMAGE = 'runyard-test/worker-gpu:latest'
/** Stand for torch's own, of which there are 2.5 GB. */
const WHEELS = `
import os, sys, zipfile
os.makedirs(sys.argv[1])
for name in ("torch", "torchvision", "torchaudio"):
    with zipfile.ZipFile(os.path.join(sys.argv[1], name + "-1.0-py3-none-any.whl"), "w") as wheel:
        info = name + "-1.0.dist-info/"
        wheel.writestr(name + "/__init__.py", "")
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: %s\\nVersion: 1.0\\n" % name)
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(info + "RECORD", "")
`
const PASSWORD = 'a-secret-of-the-index'
/** A build from scratch, on two cores with other load. */
const BUILD = { timeout: 900_000 }

/** The label of a build whose process was killed long ago. */
const ABANDONED = 'abandoned'

async function loadAbandonedStage(): Promise<void> {
  const config = {
    architecture: 'amd64',
    os: 'linux',
    config: { Labels: { 'runyard.build': ABANDONED } },
    created: '2020-01-01T00:00:00Z',
    rootfs: { type: 'layers', diff_ids: [] },
  }
  const directory = await mkdtemp(join(tmpdir(), 'runyard-stage-'))
  await writeFile(join(directory, 'config.json'), JSON.stringify(config))
  await writeFile(join(directory, 'manifest.json'), JSON.stringify([{ Config: 'config.json', RepoTags: null, Layers: [] }]))
  await runCommand('tar', ['-C', directory, '-cf', join(directory, 'image.tar'), 'config.json', 'manifest.json'])
  await runCommand('docker', ['load', '-i', join(directory, 'image.tar')])
  await rm(directory, { recursive: true })
}

/** Ids of the images that name a package index. Another process may be building on this engine: compare. */
async function stages(value = ''): Promise<string[]> {
  const ids = await runCommand('docker', ['image', 'ls', '-aq', '--filter', `label=runyard.build${value}`])
  return ids.split('\n').filter(Boolean)
}

/** Forwards requests to the machine's own package index, behind a password. Files are downloaded from the URLs in the index. */
async function startIndex(host: string): Promise<{ url: string; asked: Set<string>; server: Server }> {
  const upstream = process.env['PIP_INDEX_URL'] ?? (await defaultIndex())
  const asked = new Set<string>()
  const answer = async ({ headers, url }: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (headers.authorization !== `Basic ${btoa(`me:${PASSWORD}`)}`) return void response.writeHead(401).end()
    const name = url?.split('/').findLast((part) => part !== '') ?? ''
    asked.add(name)
    const page = await fetch(`${upstream.replace(/\/$/, '')}/${name}/`, { headers: { accept: 'text/html' } })
    response.writeHead(page.status, { 'content-type': 'text/html' }).end(await page.text())
  }
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined))
  })
  await once(server.listen(0, host), 'listening')
  return { url: `http://me:${PASSWORD}@${host}:${(server.address() as AddressInfo).port}/simple`, asked, server }
}

/** The wrapper's default index if the environment names none. */
async function defaultIndex(): Promise<string> {
  const source = await readFile(join(DOCKER, '..', 'apps', 'cli', 'fetch-wheel.py'), 'utf8')
  return /^DEFAULT_INDEX = "(.+)"$/m.exec(source)?.[1] ?? ''
}

await suiteThatNeeds(['docker', 'root', 'image-registry', 'worker-image'], 'the default worker image', () => {
  let registry: ImageRegistry
  /** By its digest. */
  let base: string
  let tag: string
  let directory: string
  const dockerfile = (): string => join(directory, 'worker.Dockerfile')
  let before: readonly string[]
  const newStages = async () => (await stages()).filter((id) => !before.includes(id))
  const lines: string[] = []
  const build = (more: { base?: string; env?: Record<string, string | undefined> }) =>
    ensureWorkerImage({ engine, dockerfile: dockerfile(), base, image: IMAGE, onProgress: (line) => void lines.push(line), ...more })

  beforeAll(async () => {
    registry = await startImageRegistry()
    base = await registry.publish(await bootstrapBaseImage({ engine, onProgress: () => undefined }), 'base:1')
    tag = base.replace(/@.*/, ':1')
    before = await stages()
    directory = await mkdtemp(join(tmpdir(), 'runyard-worker-image-'))
    await cp(DOCKER, directory, { recursive: true })
  })
  afterAll(async () => {
    await tryCommand('docker', ['image', 'rm', '-f', GPU_IMAGE, IMAGE])
    await registry?.[Symbol.asyncDispose]()
    await rm(directory, { recursive: true, force: true })
  })

  test('is built through an index with a password that is left in no history, environment or image', BUILD, async () => {
    await loadAbandonedStage()
    expect(await stages(`=${ABANDONED}`)).toHaveLength(1)
    const host = await ensureWorkerNetwork(engine.docker())
    const index = await startIndex(host ?? '')
    try {
      const proxy = { NO_PROXY: `${host},${PASSWORD}.example` }
      const env = { ...process.env, ...proxy, PIP_INDEX_URL: index.url, PIP_TRUSTED_HOST: host }
      expect(await build({ env })).toEqual({ image: IMAGE, built: true })
    } finally {
      index.server.close()
    }
    expect([...index.asked]).toEqual(expect.arrayContaining(['numpy', 'uv', 'cloudpickle']))
    const history = await runCommand('docker', ['history', '--no-trunc', '--format', '{{.CreatedBy}}', IMAGE])
    expect(history).toContain('COPY')
    const inspected = await runCommand('docker', ['image', 'inspect', IMAGE])
    for (const text of [history, inspected]) expect(text).not.toMatch(/PIP_INDEX_URL|\/simple|a-secret-of-the-index/)
    expect(lines.join('\n')).not.toContain(PASSWORD)
    expect(await newStages()).toEqual([])
    expect(await stages(`=${ABANDONED}`)).toEqual([])
    const look = ['sh', '-c', 'ls -A /tmp; pip config list; uv --version; python3 -c "import aiohttp, cloudpickle, numpy, pydantic"']
    const flash = ['sh', '-c', 'cd /usr/local/lib/runyard-flash/python3* && python3 -c "import runpod, rich, dotenv, fastapi, uvicorn"']
    const seen = await runCommand('docker', ['run', '--rm', '--network', 'none', IMAGE, ...look])
    expect(seen).toMatch(/^uv 0\.13\.9 /m)
    expect(seen).not.toMatch(/index|build/)
    await runCommand('docker', ['run', '--rm', '--network', 'none', IMAGE, ...flash])
  })

  test('has torch where the operator builds worker-gpu.Dockerfile on it, from an index of the operator’s choice', BUILD, async () => {
    const host = (await ensureWorkerNetwork(engine.docker())) ?? ''
    const wheels = join(directory, 'wheels')
    await runCommand('python3', ['-c', WHEELS, wheels])
    const index = createServer((request, response) => {
      const name = basename(request.url ?? '')
      const page = `<a href="/${name}-1.0-py3-none-any.whl">it</a>`
      if (name.endsWith('.whl')) void readFile(join(wheels, name)).then((bytes) => response.end(bytes))
      else response.setHeader('content-type', 'text/html').end(page)
    })
    await once(index.listen(0, host), 'listening')
    const address = `http://${host}:${(index.address() as AddressInfo).port}/simple`
    try {
      const from = `--index-url ${address} --trusted-host ${host}`
      const named = ['--build-arg', `BASE=${WORKER_IMAGE}`, '--build-arg', `PACKAGES=${from} torch torchvision torchaudio`]
      await runCommand('docker', ['build', '-q', '-t', GPU_IMAGE, '-f', join(DOCKER, 'worker-gpu.Dockerfile'), ...named, DOCKER])
    } finally {
      index.close()
    }
    const look = 'import torch, torchvision, torchaudio, aiohttp, numpy; print(torch.__name__)'
    expect(await runCommand('docker', ['run', '--rm', '--network', 'none', GPU_IMAGE, 'python3', '-c', look])).toBe('torch\n')
  })

  test('is not rebuilt while its recipe is the same', async () => {
    expect(await build({})).toEqual({ image: IMAGE, built: false })
  })

  test('uses the base image of a digest, and rejects a digest that the registry does not have', async () => {
    expect(await runCommand('docker', ['image', 'inspect', '--format', '{{index .Config.Labels "runyard.base"}}', IMAGE])).toBe(`${base}\n`)
    const wrong = base.replace(/[0-9a-f]{64}$/, '0'.repeat(64))
    await expect(build({ base: wrong })).rejects.toThrow(wrong)
  })

  test('is not built from a package whose hash differs from the lock, and names the digest of its base', async () => {
    const path = join(directory, 'requirements.lock')
    const lock = await readFile(path, 'utf8')
    await writeFile(path, lock.replaceAll(/--hash=sha256:\S{8}/g, '--hash=sha256:00000000'))
    await expect(build({ base: tag })).rejects.toThrow(/Docker cannot build .*hash/i)
    expect(lines).toContain(`${tag} is ${base} today: to keep it, set defaultImageBase to that`)
    expect(await newStages()).toEqual([])
  })
})
