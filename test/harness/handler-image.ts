// Images with a plain handler on the unmodified worker SDK: the worker image plus `pip install runpod==X`, with the handler as the image's
// command. Built once per content, inside a container that uses the machine's CA bundle, and never pushed.
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runCommand, tryCommand } from './child.ts'
import { WORKER_IMAGE } from './machine.ts'

const HANDLER = join(import.meta.dirname, '..', 'programs', 'plain_handler.py')
const ENTRYPOINT = 'ENTRYPOINT ["python3", "-u", "/handler.py"]'
const CA_VARIABLES = ['SSL_CERT_FILE', 'PIP_CERT', 'REQUESTS_CA_BUNDLE'] as const

/** Returns the image's name. @throws with pip's last lines if it cannot be built. */
export async function ensureHandlerImage(sdkVersion: string): Promise<string> {
  const base = (await runCommand('docker', ['image', 'inspect', '--format', '{{.Id}}', WORKER_IMAGE])).trim()
  const digest = createHash('sha256')
    .update(base + ENTRYPOINT)
    .update(await readFile(HANDLER))
    .digest('hex')
    .slice(0, 10)
  const image = `runyard-test/handler:${sdkVersion}-${digest}`
  if ((await tryCommand('docker', ['image', 'inspect', image])).code === 0) return image
  const container = `runyard-test-build-${process.pid}-${sdkVersion}`
  const install = `python3 -m pip install -q --no-cache-dir --break-system-packages runpod==${sdkVersion}`
  try {
    await runCommand('docker', ['create', '--name', container, ...caArguments(), '--entrypoint', 'sh', WORKER_IMAGE, '-c', install])
    await runCommand('docker', ['cp', HANDLER, `${container}:/handler.py`])
    await runCommand('docker', ['start', '-a', container])
    // Set as the entrypoint, because the container's own entrypoint, `sh`, cannot be reset to none.
    await runCommand('docker', ['commit', '--change', ENTRYPOINT, '--change', 'CMD []', container, image])
  } finally {
    await tryCommand('docker', ['rm', '-f', container])
  }
  return image
}

function caArguments(): readonly string[] {
  const bundle = process.env['SSL_CERT_FILE']
  if (bundle === undefined || !existsSync(bundle)) return []
  return ['-v', `${bundle}:${bundle}:ro`, ...CA_VARIABLES.flatMap((name) => ['-e', `${name}=${bundle}`])]
}
