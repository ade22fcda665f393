// Test fixture: a second engine of our own, with a stand-in for NVIDIA's hook on its PATH, so that requests for cards go through as on a host that
// has them. It needs root and dockerd.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { cp, mkdir, realpath, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Docker from 'dockerode'
import { describe, expect } from 'vitest'
import { followProgress } from '../images.ts'

const canRunEngine = process.getuid?.() === 0 && spawnSync('dockerd', ['--version']).status === 0

/** A suite that starts an engine of its own; without root or dockerd it is skipped by name. */
export function suiteOnOwnEngine(title: string, body: () => void): void {
  // oxlint-disable-next-line vitest/valid-title, vitest/valid-describe-callback -- title and body are the caller's literals
  describe.skipIf(!canRunEngine)(canRunEngine ? title : `${title} (skipped: needs root and dockerd)`, body)
}

export async function startEngine(dir: string, socket: string): Promise<ChildProcess> {
  const bin = join(dir, 'bin')
  await mkdir(bin)
  await writeFile(join(bin, 'nvidia-container-runtime-hook'), '#!/bin/sh\nexit 0\n', { mode: 0o755 })
  const paths = [
    '--data-root',
    join(dir, 'data'),
    '--exec-root',
    join(dir, 'exec'),
    '--pidfile',
    join(dir, 'pid'),
    '-H',
    `unix://${socket}`,
  ]
  const network = ['--bridge=none', '--iptables=false']
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH ?? ''}` }
  // In a network namespace of its own: an engine without a bridge removes docker0, which belongs to the machine's engine.
  const engine = spawn('unshare', ['--net', 'dockerd', ...paths, ...network], { env, stdio: 'ignore' })
  const docker = new Docker({ socketPath: socket })
  while (engine.exitCode === null && !(await docker.ping().then(Boolean, () => false))) await sleep(50)
  expect(engine.exitCode).toBeNull()
  return engine
}

/** An image that is nothing but this machine's shell, and these programs. */
export async function importShell(docker: Docker, dir: string, programs: Readonly<Record<string, string>> = {}): Promise<void> {
  const root = join(dir, 'root')
  const shell = await realpath('/bin/sh')
  const libraries = spawnSync('ldd', [shell], { encoding: 'utf8' }).stdout.match(/\/\S+/g) ?? []
  for (const library of libraries) {
    await mkdir(join(root, dirname(library)), { recursive: true })
    await cp(await realpath(library), join(root, library))
  }
  await mkdir(join(root, 'bin'))
  await cp(shell, join(root, 'bin/sh'))
  for (const [name, text] of Object.entries(programs)) await writeFile(join(root, 'bin', name), text, { mode: 0o755 })
  const tar = spawn('tar', ['-C', root, '-c', '.'], { stdio: ['ignore', 'pipe', 'ignore'] })
  await followProgress(docker, await docker.importImage(tar.stdout, { repo: 'runyard/shell', tag: 'latest' }), () => undefined)
}
