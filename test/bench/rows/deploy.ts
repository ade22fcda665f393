// Deploys: an artifact of 200 MB from its upload to the active build, beside the same bytes to a bare server that writes them to a file; the gateway's memory
// while 1 GB passes; the cold start of a deployed function beside that of a live one with the same dependency; and how long new code takes to answer.
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { runCommand } from '../../harness/child.ts'
import { createDeployedApp, putStream, vendoredFiles, type DeployedApp } from '../../harness/deploy.ts'
import type { Stack } from '../../harness/stack.ts'
import { ensureVenv } from '../../harness/venvs.ts'
import { sourceCall, valueOf } from '../../suites/calls.ts'
import { inTurn, median } from '../load.ts'
import { growthWhile } from '../memory.ts'
import type { RowGroup } from '../row-group.ts'
import type { Measured } from '../table.ts'

const IMAGE = 'runpod/flash-cpu:py3.12-latest'
const MANIFEST = { version: '1.0', project_name: 'bench', resources: { now: {} } }
const MANIFEST_FILE = 'flash_manifest.json'
/** Pure Python, in the environment of Flash's SDK and on the index. */
const PACKAGE = { name: 'python-dotenv', module: 'dotenv' }
const ROUNDS = 3

export const deploy: RowGroup = {
  name: 'deploy',
  title: 'deploys of 200 MB and 1 GB, cold starts of deployed functions, new code',
  measure: async ({ stack, times }) => {
    await using undo = new AsyncDisposableStack()
    const app = await createDeployedApp(stack, { name: 'bench', image: IMAGE, manifest: MANIFEST, manifestFile: MANIFEST_FILE })
    undo.defer(() => app.remove())
    const directory = join(stack.dataDir, 'bench-deploy')
    undo.defer(() => rm(directory, { recursive: true, force: true }))
    return [...(await uploads({ stack, app, directory }, times(1000))), ...(await starts(stack, app, times(5)))]
  },
}

/** `large`: in MB. */
async function uploads(
  { stack, app, directory }: { readonly stack: Stack; readonly app: DeployedApp; readonly directory: string },
  large: number,
): Promise<readonly Measured[]> {
  const [usual, big] = [await makeArchive(directory, large / 5), await makeArchive(directory, large)]
  const seconds: Record<'bare' | 'ours', number[]> = { bare: [], ours: [] }
  // From before the first upload on, as a process keeps its memory.
  const growth = await growthWhile(stack.gateway.pid(), async () => {
    const [bare, ours] = await inTurn(
      ROUNDS,
      () => secondsOf(() => toFile(usual, join(directory, 'copy'))),
      () => secondsOf(() => app.deployFile(usual)),
    )
    Object.assign(seconds, { bare, ours })
    await app.deployFile(big)
  })
  return [
    {
      path: `deploy of ${large / 5} MB until the build is active, over the same bytes into a file`,
      ours: median(seconds.ours),
      beside: median(seconds.bare),
      unit: 's',
    },
    {
      path: `gateway memory while a deploy of ${large} MB arrives`,
      ours: growth,
      unit: 'mebibytes',
      budget: { of: 'ours', most: 256 * 2 ** 20 },
    },
  ]
}

/** Half of it does not compress, as with wheels of compiled code. */
async function makeArchive(directory: string, megabytes: number): Promise<string> {
  const tree = join(directory, 'tree')
  await rm(tree, { recursive: true, force: true })
  await mkdir(tree, { recursive: true })
  await writeFile(join(tree, MANIFEST_FILE), JSON.stringify(MANIFEST))
  await runCommand(
    'bash',
    ['-c', `head -c ${megabytes}M /dev/urandom > noise && yes 'weights = [0.1, 0.2]' | head -c ${megabytes}M > text`],
    {
      cwd: tree,
    },
  )
  const archive = join(directory, `${megabytes}.tar.gz`)
  await runCommand('tar', ['--use-compress-program', 'gzip -1', '-cf', archive, '.'], { cwd: tree })
  return archive
}

async function toFile(path: string, copy: string): Promise<void> {
  const server = createServer((request, response) => {
    void pipeline(request, createWriteStream(copy)).then(() => response.writeHead(204).end())
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  await putStream(`http://127.0.0.1:${port}/`, (await stat(path)).size, createReadStream(path))
  server.close()
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await work()
  return (performance.now() - begun) / 1000
}

async function starts(stack: Stack, app: DeployedApp, rounds: number): Promise<readonly Measured[]> {
  await ensureVenv('flash-1.21')
  const packages = await vendoredFiles('flash-1.21', PACKAGE.module)
  const deployVersion = (version: number) =>
    app.deploy({
      ...packages,
      'handler_now.py': `import time, dotenv\ndef handler(job):\n    return {"at": time.time(), "version": ${version}}\n`,
    })
  await deployVersion(0)
  let count = 0
  const [live, deployed] = await inTurn(
    rounds,
    () => liveStart(stack, `bench-live-${(count += 1)}`),
    () => deployedStart(stack, app),
  )
  const replaced: number[] = []
  for (let version = 1; version <= rounds; version += 1) replaced.push(await untilNew(stack, app, { version, deployVersion }))
  return [
    {
      path: 'cold start of a deployed function, over a live one with the same dependency, p50',
      ours: median(deployed),
      beside: median(live),
      unit: 'ms',
    },
    { path: 'new code: activated and saved, until its first answer, p50', ours: median(replaced), unit: 'ms' },
  ]
}

/** Its package comes from the host's cache from the second time on. */
async function liveStart({ api }: Stack, name: string): Promise<number> {
  const endpoint = await api.saveEndpoint({ name, idleTimeout: 600 })
  const source = 'def now():\n    import time, dotenv\n    return {"at": time.time()}\n'
  const begun = Date.now()
  const job = await api.runsync(endpoint, { ...sourceCall('now', source), dependencies: [PACKAGE.name] })
  const taken = Number(valueOf(job['output'])['at']) * 1000 - begun
  await api.deleteEndpoint(endpoint)
  return taken
}

async function deployedStart({ api }: Stack, app: DeployedApp): Promise<number> {
  const endpoint = await app.save('now')
  const begun = Date.now()
  const job = await api.runsync(endpoint, {})
  const taken = (job['output'] as { at: number }).at * 1000 - begun
  // The next one is cold again.
  await app.save('now', { ROUND: `${begun}` }, { workersMax: 0 })
  await api.untilZero(endpoint)
  return taken
}

async function untilNew(
  { api }: Stack,
  app: DeployedApp,
  { version, deployVersion }: { readonly version: number; readonly deployVersion: (version: number) => Promise<unknown> },
): Promise<number> {
  const endpoint = await app.save('now', { VERSION: `${version - 1}` })
  await api.runsync(endpoint, {})
  await deployVersion(version)
  const begun = performance.now()
  await app.save('now', { VERSION: `${version}` })
  for (;;) {
    const { output } = await api.runsync(endpoint, {})
    if ((output as { version: number } | undefined)?.version === version) return performance.now() - begun
  }
}
