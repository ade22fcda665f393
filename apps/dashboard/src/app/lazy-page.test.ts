import { afterEach, beforeEach, expect, it, vi } from 'vitest'

/** A link of a page; what it does when it is asked for again is the test's. */
class Link extends EventTarget {
  readonly rel = 'stylesheet'
  readonly attributes = []
  replaceWith(next: Link): void {
    again(next)
  }
}

let again: (link: Link) => void = () => undefined
const page = Object.assign(new EventTarget(), { createElement: () => new Link() })
vi.stubGlobal('document', page)
vi.stubGlobal('HTMLLinkElement', Link)
const { loadFile } = await import('./lazy-page.ts')

const fail = (link: Link) => {
  page.dispatchEvent(Object.defineProperty(new Event('error'), 'target', { value: link }))
  link.dispatchEvent(new Event('error'))
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** How often the file was asked for until the page was there. */
async function triesOf(): Promise<number> {
  const load = vi.fn(async () => 'page')
  const loaded = loadFile(load)
  await vi.runAllTimersAsync()
  expect(await loaded).toBe('page')
  return load.mock.calls.length
}

it('waits for a style sheet that stays missing with its own page, and only once with each later page', async () => {
  again = fail
  fail(new Link())
  await triesOf()
  expect(await triesOf()).toBe(2)
  again = (link) => link.dispatchEvent(new Event('load'))
  expect(await triesOf()).toBe(2)
  expect(await triesOf()).toBe(1)
})

it('does not wait for ever for a style sheet that neither comes nor fails', async () => {
  again = () => undefined
  fail(new Link())
  expect(await triesOf()).toBe(2)
})
