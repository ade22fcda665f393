// `runyard top` on the screen, with Ink (ADR 84): it owns the alternate screen, the keys and the redraws.
import { errorMessage } from '@runyard/schema'
import { Box, render, Text, useApp, useInput, useWindowSize } from 'ink'
import { createElement as h, useEffect, useReducer, useState, type ReactElement } from 'react'
import { redirect, type Terminal } from '../output/terminal.ts'
import {
  drawPane,
  PANES,
  press,
  START,
  summarise,
  type Drawn,
  type Key,
  type Snapshot,
  type Subject,
  type View,
  type Wish,
} from './model.ts'

export interface ScreenSource {
  readonly title: string
  readonly out: Terminal
  readonly read: () => Promise<Snapshot>
  /** Resolves when there may be something new to read. */
  readonly next: () => Promise<void>
  readonly describe: (subject: Subject) => Promise<readonly string[]>
  readonly logs: (subject: Subject) => Promise<readonly string[]>
}

interface Page {
  readonly title: string
  readonly lines: readonly string[]
  readonly from: number
}

const HELP = [
  'Tab      next list: cards, queues, workers',
  'j k ↓ ↑  next and previous row',
  '/        filter; Enter keeps it, Esc drops it',
  'z        only faults',
  'd Enter  describe: why the endpoint of the row has no further worker',
  'l        logs of the worker or endpoint of the row',
  'q        quit',
]

/** Ends when the user quits. */
export async function showScreen(source: ScreenSource): Promise<void> {
  const app = render(h(Top, { source }), { alternateScreen: true, exitOnCtrlC: true, patchConsole: false })
  await app.waitUntilExit()
}

function Top({ source }: { readonly source: ScreenSource }): ReactElement {
  const { columns, rows } = useWindowSize()
  const { exit } = useApp()
  const [view, setView] = useReducer((before: View, next: Partial<View>) => ({ ...before, ...next }), START)
  const [page, setPage] = useState<Page>()
  const { snapshot, problem } = useSnapshot(source)
  const out = redirect(source.out, { isTty: true, columns: columns - 2, rows })
  const drawn = snapshot === undefined ? undefined : drawPane(snapshot, view, out)
  const subject = drawn?.entries[drawn.selected]?.subject

  function openPage(title: string, read: Promise<readonly string[]>): void {
    const show = (lines: readonly string[]): void => setPage({ title, lines, from: 0 })
    show(['…'])
    read.then(show, (error: unknown) => show([errorMessage(error)]))
  }

  useInput((input, special) => {
    const keys = toKeys(input, special)
    const [first] = keys
    if (first === undefined) return
    if (page !== undefined) return scroll(page, first, setPage)
    let pressed: ReturnType<typeof press> = { view: { ...view, selected: drawn?.selected ?? 0 } }
    for (const key of keys) pressed = press(pressed.view, key)
    setView(pressed.view)
    grant(pressed.wish)
  })

  function grant(wish: Wish): void {
    if (wish === 'quit') exit()
    if (wish === 'help') setPage({ title: 'keys', lines: HELP, from: 0 })
    if (subject === undefined) return
    if (wish === 'describe') openPage(subject.title, source.describe(subject))
    if (wish === 'logs') openPage(`logs of ${subject.worker ?? subject.endpoint ?? subject.title}`, source.logs(subject))
  }

  const room = Math.max(1, rows - 5)
  const lines = [
    `${out.bold(source.title)}  ${snapshot === undefined ? 'reading …' : summarise(snapshot)}`,
    ...(page === undefined
      ? [tabsOf(view, out), ...listLines(drawn, out, room)]
      : [out.bold(page.title), ...page.lines.slice(page.from, page.from + room)]),
    ...(problem === undefined ? [] : [out.bad(problem)]),
  ]
  return h(
    Box,
    { flexDirection: 'column', width: columns, height: rows - 1 },
    h(
      Box,
      { flexDirection: 'column', flexGrow: 1 },
      ...lines.map((line, index) => h(Text, { key: index, wrap: 'truncate' }, line === '' ? ' ' : line)),
    ),
    h(Text, { wrap: 'truncate' }, out.dim(page === undefined ? footOf(view) : 'j k scroll · q back')),
  )
}

/** Reads again and again; while that fails the last snapshot stays. */
function useSnapshot({ read, next }: ScreenSource): { readonly snapshot: Snapshot | undefined; readonly problem: string | undefined } {
  const [state, setState] = useState<{ snapshot?: Snapshot; problem?: string }>({})
  useEffect(() => {
    let isOver = false
    const look = async (): Promise<void> => {
      try {
        const snapshot = await read()
        if (!isOver) setState({ snapshot })
      } catch (error) {
        if (!isOver) setState((before) => ({ ...before, problem: errorMessage(error) }))
      }
      await next()
      if (!isOver) void look()
    }
    void look()
    return () => {
      isOver = true
    }
  }, [read, next])
  return { snapshot: state.snapshot, problem: state.problem }
}

type InkKey = Parameters<Parameters<typeof useInput>[0]>[1]

/** Text that is pasted, or typed fast, comes at once. */
function toKeys(input: string, key: InkKey): readonly Key[] {
  const special = (['tab', 'escape'] as const).find((name) => key[name])
  if (special !== undefined) return [{ special }]
  if (key.upArrow) return [{ special: 'up' }]
  if (key.downArrow) return [{ special: 'down' }]
  if (key.return) return [{ special: 'enter' }]
  if (key.backspace || key.delete) return [{ special: 'backspace' }]
  return Array.from(input, (text): Key => (text === '\r' ? { special: 'enter' } : { text }))
}

function scroll(page: Page, key: Key, setPage: (page: Page | undefined) => void): void {
  const name = 'text' in key ? key.text : key.special
  if (['q', 'escape', 'enter', '?'].includes(name)) return setPage(undefined)
  const by = ['j', 'down'].includes(name) ? 1 : ['k', 'up'].includes(name) ? -1 : 0
  setPage({ ...page, from: Math.min(Math.max(0, page.from + by), Math.max(0, page.lines.length - 1)) })
}

function tabsOf({ pane }: View, out: Terminal): string {
  return PANES.map((each) => (each === pane ? out.bold(`[${each}]`) : ` ${each} `)).join(' ')
}

/** The selected row is marked, and in sight. */
function listLines(drawn: Drawn | undefined, out: Terminal, room: number): readonly string[] {
  if (drawn === undefined) return []
  const marked = drawn.entries.map(({ lines }, index) =>
    lines.map((line, at) => `${index === drawn.selected && at === 0 ? out.good('▶ ') : '  '}${line}`),
  )
  let from = 0
  const height = (first: number): number => marked.slice(first, drawn.selected + 1).reduce((sum, lines) => sum + lines.length, 0)
  while (height(from) > room - 1 && from < drawn.selected) from += 1
  return [`  ${drawn.head}`, ...marked.slice(from).flat()].slice(0, room)
}

function footOf({ filter, isTyping, isFaultsOnly }: View): string {
  if (isTyping) return `/${filter}▏`
  const active = [...(filter === '' ? [] : [`filter /${filter}`]), ...(isFaultsOnly ? ['faults only'] : [])]
  return [...active, 'Tab list · / filter · z faults · d describe · l logs · ? keys · q quit'].join(' · ')
}
