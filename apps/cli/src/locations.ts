// Paths of this checkout, relative to this file: it is `apps/cli/src/locations.ts` or bundled in `apps/cli/dist`.
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const CLI_ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
export const ROOT = join(CLI_ROOT, '..', '..')

/** The bundle of an app, as built by `pnpm build`. */
export function bundleOf(app: 'agent' | 'gateway' | 'scaler'): string {
  return join(ROOT, 'apps', app, 'dist', app === 'agent' ? 'agent.mjs' : 'main.mjs')
}
