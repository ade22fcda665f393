// Pages and dialogs whose files are loaded when they are first wanted. A browser breaks off all requests when a VPN or a wireless network comes or goes, so a file
// that did not come is asked for again before anything fails. Browsers do so with the next `import()`, but Vite asks for each style sheet once only.
import { lazyRouteComponent } from '@tanstack/react-router'

/** Before each further try. */
const PAUSES_MS = [250, 750, 2000] as const
/** A style sheet that takes longer still comes, but after its page. */
const STYLE_MS = 3000

const missing = new Set<HTMLLinkElement>()
document.addEventListener(
  'error',
  ({ target }) => {
    if (target instanceof HTMLLinkElement && target.rel === 'stylesheet') missing.add(target)
  },
  { capture: true },
)

/** @throws what the last try throws. */
export async function loadFile<T>(load: () => Promise<T>): Promise<T> {
  const isLate = missing.size > 0
  for (const [tries, pauseMs] of PAUSES_MS.entries()) {
    const loaded = await load().catch(() => undefined)
    // What an earlier page waited for in vain is asked for once by each later one.
    if (loaded !== undefined && (missing.size === 0 || (isLate && tries > 0))) return loaded
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
    await Promise.all([...missing].map((link) => loadAgain(link)))
  }
  return await load()
}

/** Resolves in any case and in time; a link that fails again is missing again. */
function loadAgain(link: HTMLLinkElement): Promise<unknown> {
  missing.delete(link)
  const next = document.createElement('link')
  for (const { name, value } of link.attributes) next.setAttribute(name, value)
  const settled = new Promise((resolve) => {
    next.addEventListener('load', resolve)
    next.addEventListener('error', resolve)
    setTimeout(resolve, STYLE_MS)
  })
  link.replaceWith(next)
  return settled
}

/** As `lazyRouteComponent`. */
export const lazyPage: typeof lazyRouteComponent = (load, name) => lazyRouteComponent(() => loadFile(load), name)
