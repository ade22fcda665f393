// Paths of this checkout, relative to this file: it is `apps/cli/src/locations.ts` or bundled in `apps/cli/dist`.
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const CLI_ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
export const ROOT = join(CLI_ROOT, '..', '..')

/** The bundle of an app, as built by `pnpm build`. */
export function bundleOf(app: 'agent' | 'gateway' | 'scaler'): string {
  return join(ROOT, 'apps', app, 'dist', app === 'agent' ? 'agent.mjs' : 'main.mjs')
}

/**
 * What Node is to run as a part of the stack. `pnpm dev` sets RUNYARD_FROM_SOURCE: then it is the source, and it restarts when a file changes
 * that it imports. Those restarts kill, since a scaler that ends orderly drains its workers.
 */
export function partArguments(part: 'gateway' | 'scaler', env: NodeJS.ProcessEnv): readonly string[] {
  if (env['RUNYARD_FROM_SOURCE'] !== '1') return ['--enable-source-maps', bundleOf(part)]
  return ['--watch', '--watch-preserve-output', '--watch-kill-signal=SIGKILL', join(ROOT, 'apps', part, 'src', 'main.ts')]
}
