// An image of another Python: the base of the worker image with a Python of this machine, which brings its own library directory.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findOtherPythons, type FoundPython } from '@runyard/testing/other-pythons'
import { runCommand } from './child.ts'
import { WORKER_IMAGE } from './worker-image.ts'

const DOCKERFILE = `
ARG BASE
FROM \${BASE}
ADD python.tar /opt/python/
RUN echo /opt/python/lib >/etc/ld.so.conf.d/python.conf && ldconfig
ENV PATH=/opt/python/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
`
/** Of no use to a worker, and most of the size. */
const USELESS = ['*/test', '*/tests', '__pycache__', '*.a', 'config-*', 'idlelib', 'tkinter', 'ensurepip', '*/site-packages/*']

/** The newest one that can be copied: one of the system is spread over `/usr`. */
export async function findPortablePython(): Promise<FoundPython | undefined> {
  const found = await findOtherPythons()
  return found.findLast(({ path }) => !path.startsWith('/usr/bin/'))
}

/** Layers come from the engine's cache after the first time. Returns the image's name. */
export async function ensurePythonImage({ minor, path }: FoundPython): Promise<string> {
  const image = pythonImage(minor)
  const directory = await mkdtemp(join(tmpdir(), 'runyard-python-'))
  try {
    const prefix = (await runCommand(path, ['-c', 'import sys; print(sys.base_prefix)'])).trim()
    const excludes = USELESS.map((pattern) => `--exclude=${pattern}`)
    await runCommand('tar', ['-C', prefix, ...excludes, '-cf', join(directory, 'python.tar'), 'bin', 'lib'])
    await writeFile(join(directory, 'Dockerfile'), DOCKERFILE)
    await runCommand('docker', ['build', '-q', '--build-arg', `BASE=${WORKER_IMAGE}`, '-t', image, directory], { timeoutMs: 300_000 })
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
  return image
}

export const pythonImage = (minor: string): string => `runyard-test/python:${minor}`
