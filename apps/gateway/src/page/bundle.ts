// The files of the page (`apps/dashboard`), as its build leaves them: `index.html` and `assets/` with hashed names, each with its compressed copies.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { RunyardError } from '@runyard/schema'

const IS_SOURCE = import.meta.url.endsWith('.ts')

/** Beside the gateway's own bundle, `apps/gateway/dist`; from source it is one step further up. */
export const PAGE_DIR = fileURLToPath(new URL(IS_SOURCE ? '../../../dashboard/dist' : '../../dashboard/dist', import.meta.url))

/**
 * `index.html` for a page below `base`, which begins and ends with a slash. Addresses become absolute: the page at `/jobs/1` cannot use relative ones, and
 * its policy forbids a `<base>`. Read for each visit: a build that replaces the files replaces their names.
 * @throws RunyardError('not_found') where nothing is built.
 */
export async function readPage(base: string, directory = PAGE_DIR): Promise<string> {
  const html = await readFile(join(directory, 'index.html'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new RunyardError(
      'not_found',
      'The page is not built: `./runyard exec pnpm --filter @runyard/dashboard build` builds it. The API is here all the same.',
      { cause: error },
    )
  })
  return html
    .replace('name="runyard-base" content="/"', `name="runyard-base" content="${base}"`)
    .replaceAll(/(src|href)="\.\//gu, (_all, attribute: string) => `${attribute}="${base}`)
}
