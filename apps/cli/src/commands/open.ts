// `runyard open`: the address of a page, opened in the browser of this machine where there is one.
import { spawn } from 'node:child_process'
import { UsageError, type CommandContext } from '../command.ts'
import { findTarget } from '../settings.ts'

const PAGES: Readonly<Record<string, string>> = { docs: '/docs', api: '/openapi.json', login: '/flash/login' }

export async function run(context: CommandContext): Promise<number> {
  const { out, env, positionals } = context
  const [page = 'docs', ...more] = positionals
  const path = PAGES[page]
  if (path === undefined || more.length > 0) throw new UsageError(`name one page of ${Object.keys(PAGES).join(', ')}.`)
  const { url } = await findTarget(context)
  out.line(`${url}${path}`)
  const opener = openerOf(process.platform, env)
  // The address is there, whatever becomes of the browser.
  if (opener !== undefined)
    spawn(opener, [`${url}${path}`], { stdio: 'ignore', detached: true })
      .on('error', () => {})
      .unref()
  return 0
}

function openerOf(platform: NodeJS.Platform, { DISPLAY, WAYLAND_DISPLAY }: NodeJS.ProcessEnv): string | undefined {
  if (platform === 'darwin') return 'open'
  return (DISPLAY ?? WAYLAND_DISPLAY) === undefined ? undefined : 'xdg-open'
}
