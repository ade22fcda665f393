// What keeps people out of a page and axe does not look for: content beyond the window, text that is cut, focus that cannot be seen. All of it runs in the page.

interface Box {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}
interface Style {
  readonly color: string
  readonly fontSize: string
  readonly fontWeight: string
  readonly textDecorationLine: string
  readonly textShadow: string
  readonly opacity: string
  readonly backgroundImage: string
  readonly overflowX: string
  readonly overflowY: string
  readonly clipPath: string
  readonly textOverflow: string
  readonly outlineStyle: string
  readonly outlineWidth: string
  readonly backgroundColor: string
  readonly borderTopWidth: string
  readonly forcedColorAdjust: string
}
interface Element {
  readonly parentElement: Element | null
  readonly childNodes: Iterable<{ readonly nodeType: number; readonly textContent: string | null }>
  readonly outerHTML: string
  readonly textContent: string | null
  readonly scrollWidth: number
  readonly scrollHeight: number
  readonly clientWidth: number
  readonly clientHeight: number
  checkVisibility(): boolean
  contains(other: Element | null): boolean
  closest(selector: string): Element | null
  getBoundingClientRect(): Box
  matches(selector: string): boolean
  focus(): void
}
declare function requestAnimationFrame(then: () => void): void
declare const document: {
  readonly documentElement: Element
  readonly activeElement: Element | null
  querySelectorAll(selector: string): Iterable<Element>
  elementFromPoint(x: number, y: number): Element | null
  getAnimations(): readonly unknown[]
  adoptedStyleSheets: unknown[]
}
declare const getComputedStyle: (element: Element) => Style
declare const CSSStyleSheet: new () => { replaceSync(text: string): void }

/** Reflow (WCAG 1.4.10): nothing is read by scrolling sideways. */
export function findOverflow(): string[] {
  const { scrollWidth, clientWidth } = document.documentElement
  return scrollWidth > clientWidth ? [`it is ${scrollWidth - clientWidth} pixels wider than the window`] : []
}

/** The spacing of WCAG 1.4.12. */
export function setSpacing(isWide: boolean): void {
  const sheet = new CSSStyleSheet()
  if (isWide) {
    sheet.replaceSync(`* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important }
      p { margin-bottom: 2em !important }`)
  }
  document.adoptedStyleSheets = [sheet]
}

/** Text that does not fit into its box and cannot be scrolled to. A title has the whole of what ends in an ellipsis on purpose. */
export function findCutText(): string[] {
  const hides = (overflow: string): boolean => overflow === 'hidden' || overflow === 'clip'
  const isCut = (element: Element): boolean => {
    const { overflowX, overflowY, clipPath, textOverflow } = getComputedStyle(element)
    if (clipPath !== 'none' || (textOverflow === 'ellipsis' && element.closest('[title]') !== null)) return false
    const isWide = hides(overflowX) && element.scrollWidth > element.clientWidth + 1
    return isWide || (hides(overflowY) && element.scrollHeight > element.clientHeight + 1)
  }
  return [...document.querySelectorAll('body *')]
    .filter((element) => element.checkVisibility() && (element.textContent ?? '').trim() !== '' && isCut(element))
    .map((element) => `text is cut: ${element.outerHTML.slice(0, 160)}`)
}

/** Whatever takes the focus shows it (2.4.7), and nothing lies over it (2.4.11). Last to first: going up, headers that stay come in the way. */
export function findUnseenFocus(): string[] {
  const places = 'a[href], button, input, select, textarea, summary, [tabindex="0"]'
  const found: string[] = []
  for (const element of [...document.querySelectorAll(places)].toReversed()) {
    if (!element.checkVisibility() || element.matches(':disabled')) continue
    element.focus()
    if (document.activeElement !== element) continue
    const { outlineStyle, outlineWidth } = getComputedStyle(element)
    const { left, top, width, height } = element.getBoundingClientRect()
    const corners = [0.05, 0.5, 0.95].map((part) => document.elementFromPoint(left + width * part, top + height / 2))
    const isSeen = corners.some((over) => over !== null && (element.contains(over) || over.contains(element)))
    const what = element.outerHTML.slice(0, 160)
    if (outlineStyle === 'none' || Number.parseFloat(outlineWidth) < 2) found.push(`its focus has no outline: ${what}`)
    if (!isSeen) found.push(`it lies under something when it has the focus: ${what}`)
  }
  return found
}

/** Resolves when nothing moves any more: a virtual list measures its rows some frames after the window has changed. */
export async function untilStill(): Promise<void> {
  const frame = (): Promise<unknown> => new Promise((resolve) => requestAnimationFrame(() => resolve(undefined)))
  const places = (): string => {
    const rows = [...document.querySelectorAll('[data-index]')].map((row) => row.getBoundingClientRect())
    return JSON.stringify([document.documentElement.scrollHeight, ...rows.map(({ top, height }) => [top, height])])
  }
  for (let before = '', looks = 0; before !== places() && looks < 50; looks += 1) {
    before = places()
    for (let frames = 0; frames < 3; frames += 1) await frame()
  }
}

/**
 * All that the contrast of a text depends on, of each text of the page or of the given elements: colours, size and weight, the text around it (for
 * links), and the backgrounds below it. Leaves out what axe judges nowhere: single characters, what is disabled, and what
 * lies outside of the page until it has the focus.
 */
export function readTones(elements: Iterable<Element> = document.querySelectorAll('body *')): string[] {
  const under = (element: Element): string[] => {
    const { backgroundColor, backgroundImage, opacity } = getComputedStyle(element)
    const own =
      backgroundColor.endsWith(', 0)') && backgroundImage === 'none' && opacity === '1' ? [] : [backgroundColor, backgroundImage, opacity]
    return element.parentElement === null ? own : [...own, ...under(element.parentElement)]
  }
  const backgrounds = new Map<Element, string>()
  const backgroundOf = (element: Element): string => {
    const known = backgrounds.get(element) ?? under(element).join(' ')
    backgrounds.set(element, known)
    return known
  }
  const toneOf = (element: Element): string => {
    const { color, fontSize, fontWeight, textDecorationLine, textShadow } = getComputedStyle(element)
    const { left, top, width, height } = element.getBoundingClientRect()
    const over = document.elementFromPoint(left + width / 2, top + height / 2)
    const isCovered = over !== null && !element.contains(over) && !over.contains(element)
    const around = element.parentElement === null ? '' : getComputedStyle(element.parentElement).color
    const text = [color, fontSize, fontWeight, textDecorationLine, textShadow, around]
    return [...text, backgroundOf(element), isCovered ? `below ${backgroundOf(over)}` : ''].join(' | ')
  }
  const isText = (element: Element): boolean => {
    if (element.matches('input, select, textarea')) return true
    const own = [...element.childNodes].filter(({ nodeType }) => nodeType === 3).map(({ textContent }) => textContent ?? '')
    return own.join('').trim().length > 1
  }
  const isOff = (element: Element): boolean => element.closest(':disabled, [aria-disabled=true], label:has(:disabled)') !== null
  const isAway = (element: Element): boolean => {
    const { left, top, width, height } = element.getBoundingClientRect()
    return left + width <= 0 || top + height <= document.documentElement.getBoundingClientRect().top
  }
  return [
    ...new Set(
      [...elements].filter((element) => isText(element) && element.checkVisibility() && !isOff(element) && !isAway(element)).map(toneOf),
    ),
  ]
}

/** Bars and dots that are only a colour: a browser that forces colours hides them, unless they keep theirs. */
export function findLostMarks(): string[] {
  const isMark = (element: Element): boolean =>
    element.checkVisibility() &&
    element.getBoundingClientRect().width > 0 &&
    !element.matches('canvas, input, select, textarea, :has(*), hr')
  const isLost = ({ backgroundColor, borderTopWidth, forcedColorAdjust }: Style): boolean =>
    !/rgba\(.*, 0\)|transparent/u.test(backgroundColor) && borderTopWidth === '0px' && forcedColorAdjust === 'auto'
  return [...document.querySelectorAll('main *')]
    .filter((element) => isMark(element) && (element.textContent ?? '').trim() === '' && isLost(getComputedStyle(element)))
    .map((element) => `forced colours take it away: ${element.outerHTML.slice(0, 160)}`)
}

/** The browsers of these tests ask for no motion. */
export function findMotions(): string[] {
  const { length } = document.getAnimations()
  return length === 0 ? [] : [`${length} things move although no motion is wanted`]
}
