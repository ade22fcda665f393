import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { alignColumns, createTerminal, type ColorMode } from './terminal.ts'

describe('alignColumns', () => {
  it('counts visible characters, not colour codes, and does not pad the last column', () => {
    expect(alignColumns([['\u001B[1ma\u001B[22m', 'x'], ['bbb', 'yy'], ['c']])).toEqual(['\u001B[1ma\u001B[22m    x', 'bbb  yy', 'c'])
  })
})

describe('colours', () => {
  const stream = (isTTY: boolean) => Object.assign(new PassThrough(), { isTTY }) as unknown as NodeJS.WriteStream

  it.each<[string, { isTty: boolean; env: NodeJS.ProcessEnv; mode?: ColorMode }, boolean]>([
    ['on a terminal', { isTty: true, env: {} }, true],
    ['in a pipe', { isTty: false, env: {} }, false],
    ['on a terminal that has none', { isTty: true, env: { TERM: 'dumb' } }, false],
    ['with NO_COLOR', { isTty: true, env: { NO_COLOR: '1', FORCE_COLOR: '1' } }, false],
    ['with FORCE_COLOR in a pipe', { isTty: false, env: { FORCE_COLOR: '1' } }, true],
    ['with --color never', { isTty: true, env: { FORCE_COLOR: '1' }, mode: 'never' }, false],
    ['with --color always in a pipe', { isTty: false, env: { NO_COLOR: '1' }, mode: 'always' }, true],
  ])('%s', (_, { isTty, env, mode }, areThere) => {
    const terminal = createTerminal(stream(isTty), env)
    if (mode !== undefined) terminal.setColor(mode)
    expect(terminal.bad('x') !== 'x').toBe(areThere)
  })
})
