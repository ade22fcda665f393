// `runyard open`: the address of a page, opened in the browser of this machine where there is one, which it signs in.
import { spawn } from 'node:child_process'
import { UsageError, type CommandContext } from '../command.ts'
import { pageLink } from '../page-link.ts'
import { findTarget } from '../settings.ts'

/** Those that everybody may read; the others get a code that signs the browser in. */
const OPEN_PAGES: Readonly<Record<string, string>> = { docs: '/docs', api: '/openapi.json', login: '/flash/login' }
const PAGES: Readonly<Record<string, string>> = {
  yard: '/',
  jobs: '/jobs',
  gpus: '/gpus',
  usage: '/usage',
  failures: '/failures',
  endpoints: '/endpoints',
  logs: '/logs',
  settings: '/settings',
  start: '/start',
}
const PAGE_NAMES: readonly string[] = [...Object.keys(PAGES), ...Object.keys(OPEN_PAGES)]

export async function run(context: CommandContext): Promise<number> {
  const { out, env, positionals } = context
  const [page = 'yard', ...more] = positionals
  const path = PAGES[page]
  const openPath = OPEN_PAGES[page]
  if ((path === undefined && openPath === undefined) || more.length > 0) throw new UsageError(`name one page of ${PAGE_NAMES.join(', ')}.`)
  const target = await findTarget(context)
  const address = path === undefined ? `${target.url}${openPath}` : await pageLink(target, path)
  out.line(address)
  const opener = openerOf(process.platform, env)
  // The address is there, whatever becomes of the browser.
  if (opener !== undefined)
    spawn(opener, [address], { stdio: 'ignore', detached: true })
      .on('error', () => {})
      .unref()
  return 0
}

function openerOf(platform: NodeJS.Platform, { DISPLAY, WAYLAND_DISPLAY }: NodeJS.ProcessEnv): string | undefined {
  if (platform === 'darwin') return 'open'
  return (DISPLAY ?? WAYLAND_DISPLAY) === undefined ? undefined : 'xdg-open'
}
