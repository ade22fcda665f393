// Images with a plain handler on the unmodified worker SDK: the worker image plus the packages of the SDK's locked environment, with the handler
// as the image's command. Built once per content, inside a container that uses the machine's CA bundle, and never pushed.
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCommand, tryCommand } from './child.ts'
import { WORKER_IMAGE } from './worker-image.ts'
import { lockedRequirements } from './venv-lock.ts'
import { ensureUv, VENVS } from './venvs.ts'

const HANDLER = join(import.meta.dirname, '..', 'programs', 'plain_handler.py')
const ENTRYPOINT = 'ENTRYPOINT ["python3", "-u", "/handler.py"]'
/** By this machine's uv, in a third of pip's processor time. */
const INSTALL = '/uv pip install -q --system --break-system-packages --no-cache --compile-bytecode --require-hashes -r /requirements.lock'

/** Returns the image's name. @throws with uv's last lines if it cannot be built. */
export async function ensureHandlerImage(sdkVersion: string): Promise<string> {
  const base = (await runCommand('docker', ['image', 'inspect', '--format', '{{.Id}}', WORKER_IMAGE])).trim()
  const requirements = requirementsOf(sdkVersion)
  const digest = createHash('sha256')
    .update(base + ENTRYPOINT + requirements)
    .update(await readFile(HANDLER))
    .digest('hex')
    .slice(0, 10)
  const image = `runyard-test/handler:${sdkVersion}-${digest}`
  if ((await tryCommand('docker', ['image', 'inspect', image])).code === 0) return image
  const container = `runyard-test-build-${process.pid}-${sdkVersion}`
  const directory = await mkdtemp(join(tmpdir(), 'runyard-handler-'))
  const lock = join(directory, 'requirements.lock')
  try {
    await writeFile(lock, requirements)
    const tool = ['-v', `${await realpath(await ensureUv())}:/uv:ro`]
    await runCommand('docker', [
      'create',
      '--name',
      container,
      ...tool,
      ...caArguments(),
      '--entrypoint',
      'sh',
      WORKER_IMAGE,
      '-c',
      INSTALL,
    ])
    await runCommand('docker', ['cp', HANDLER, `${container}:/handler.py`])
    await runCommand('docker', ['cp', lock, `${container}:/requirements.lock`])
    await runCommand('docker', ['start', '-a', container])
    // Set as the entrypoint, because the container's own entrypoint, `sh`, cannot be reset to none.
    await runCommand('docker', ['commit', '--change', ENTRYPOINT, '--change', 'CMD []', container, image])
  } finally {
    await tryCommand('docker', ['rm', '-f', container])
    await rm(directory, { recursive: true, force: true })
  }
  return image
}

/** Versions and hashes as in the environment whose first package is this SDK. */
function requirementsOf(sdkVersion: string): string {
  const venv = Object.entries(VENVS).find(([, [first]]) => first === `runpod==${sdkVersion}`)?.[0]
  if (venv === undefined) throw new Error(`no environment in venvs.ts has runpod ${sdkVersion}, so its packages are not locked`)
  return lockedRequirements(venv)
}

function caArguments(): readonly string[] {
  const bundle = process.env['SSL_CERT_FILE']
  if (bundle === undefined || !existsSync(bundle)) return []
  return ['-v', `${bundle}:${bundle}:ro`, '-e', `SSL_CERT_FILE=${bundle}`]
}
