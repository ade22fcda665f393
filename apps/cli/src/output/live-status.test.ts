import { describe, expect, it } from 'vitest'
import { createStatusBlock, renderRows, type EndpointRow } from './live-status.ts'
import { createScreen, type Screen } from '../testing/screen.ts'
import type { Terminal } from './terminal.ts'
import { toVisible, widthOf } from './visible.ts'

const MESSAGE = 'no host has a GPU of the requested types: wanted NVIDIA L4, hosts have NVIDIA GeForce RTX 4090, and more words than fit'
const NONE = { running: 0, idle: 0, initializing: 0, throttled: 0, unhealthy: 0, ready: 0 }

function rowOf(name: string, inQueue: number, message?: string): EndpointRow {
  const jobs = { inQueue, inProgress: 0, completed: 0, failed: 0, retried: 0 }
  return { id: name, name, health: { jobs, workers: { ...NONE, throttled: 1 }, ...(message === undefined ? {} : { message }) } }
}

/** A terminal of 80 columns with a recorded screen. */
function terminal(columns = 80, rows = 24): { out: Terminal; screen: Screen; resize: (columns: number) => void } {
  const screen = createScreen(columns)
  let width = columns
  const listeners = new Set<() => void>()
  const plain = (text: string): string => text
  const out: Terminal = {
    isTty: true,
    get columns() {
      return width
    },
    rows,
    line: (text = '') => screen.write(`${toVisible(text, true)}\n`),
    write: (text) => screen.write(text),
    onResize(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    bold: plain,
    dim: plain,
    good: plain,
    warn: plain,
    bad: plain,
    setColor: () => {},
  }
  const resize = (next: number): void => {
    width = next
    screen.resize(next)
    for (const listener of listeners) listener()
  }
  return { out, screen, resize }
}

const headings = (screen: Screen): number => screen.rows().filter((line) => line.startsWith('endpoint')).length
const text = (screen: Screen): string => screen.rows().join('\n').trimEnd()

describe('the live block at 80 columns', () => {
  it('is shown once, however often it is drawn and whatever its content', () => {
    const { out, screen } = terminal()
    const block = createStatusBlock(out)
    out.line('above')
    for (let queued = 0; queued < 20; queued++) {
      block.show([rowOf('live-caption-of-a-very-long-name-that-goes-on-and-on-until-it-does-not-fit', queued, MESSAGE), rowOf('b', 0)])
      block.say(`news ${queued}`)
    }
    expect(headings(screen)).toBe(1)
    expect(screen.rows()[0]).toBe('above')
    expect(screen.rows().filter((line) => line.startsWith('news'))).toHaveLength(20)
    expect(Math.max(...screen.rows().map(widthOf))).toBeLessThanOrEqual(80)
    // The reason is complete, on separate lines.
    expect(text(screen).replaceAll(/\n +/g, ' ')).toContain(`↳ ${MESSAGE}`)
    expect(text(screen)).toMatch(/^live-caption-of.*….*not-fit +19 /m)
  })

  it('is redrawn when the terminal becomes narrower or wider', () => {
    const { out, screen, resize } = terminal(120)
    const block = createStatusBlock(out)
    block.show([rowOf('caption', 3, MESSAGE)])
    for (const columns of [60, 45, 100]) {
      resize(columns)
      expect(headings(screen)).toBe(1)
      expect(Math.max(...screen.rows().map(widthOf))).toBeLessThanOrEqual(columns)
    }
    block.end()
    resize(50)
    expect(text(screen)).toContain('caption')
  })

  it('has fewer numbers at 40 columns, and the workers on a line of their own', () => {
    const { out, screen } = terminal(40)
    createStatusBlock(out).show([rowOf('caption', 3)])
    expect(text(screen)).toBe('endpoint  queued  running  failed\ncaption   3       0        0\n  1 throttled')
  })

  it('is no higher than the screen, and says how many endpoints it omits', () => {
    const { out, screen } = terminal(80, 10)
    const block = createStatusBlock(out)
    for (let queued = 0; queued < 5; queued++) block.show(Array.from({ length: 30 }, (_, index) => rowOf(`endpoint-${index}`, queued)))
    const lines = text(screen).split('\n')
    expect(lines).toHaveLength(8)
    expect(lines.at(-1)).toBe('… and 24 more; `./runyard status` shows all')
  })

  it('does not interpret control characters in foreign names', () => {
    const { out, screen } = terminal()
    createStatusBlock(out).show([rowOf('ok\u001B]0;p\u0007\u001B[2K\rfake\nroot# ', 1, 'a\u001B[1Ab')])
    expect(text(screen)).toContain('ok␛]0;p␇␛[2K␍fake␊root#')
    expect(text(screen)).toContain('↳ a␛[1Ab')
  })

  it('counts wide characters twice', () => {
    const { out, screen } = terminal()
    const block = createStatusBlock(out)
    for (let queued = 0; queued < 5; queued++) block.show([rowOf('字'.repeat(60), queued, '漢字 '.repeat(40))])
    expect(headings(screen)).toBe(1)
    expect(Math.max(...screen.rows().map(widthOf))).toBeLessThanOrEqual(80)
  })
})

it('names places where a worker would start without a pull', () => {
  const states = { initializing: 0, idle: 2, running: 1, throttled: 0, outdated: 0, unhealthy: 0 }
  const row = rowOf('one', 0)
  const shown = renderRows([{ ...row, health: { ...row.health, states } }], terminal(200).out)
  expect(shown.join('\n')).toContain('1 throttled (2 may start)')
})
