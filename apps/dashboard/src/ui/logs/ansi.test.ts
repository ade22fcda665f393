import { expect, it } from 'vitest'
import { parseAnsi, stripAnsi } from './ansi.ts'

const ESC = '\u001B'

it('text without escapes is one piece', () => {
  expect(parseAnsi('loading shard 3')).toEqual([{ text: 'loading shard 3' }])
  expect(parseAnsi('')).toEqual([])
})

it('colours and weights hold until they are switched off', () => {
  expect(parseAnsi(`${ESC}[32mok${ESC}[0m then ${ESC}[1;31mbad${ESC}[22m red${ESC}[39m plain`)).toEqual([
    { text: 'ok', colour: 'green' },
    { text: ' then ' },
    { text: 'bad', isBold: true, colour: 'red' },
    { text: ' red', colour: 'red' },
    { text: ' plain' },
  ])
})

it('bright colours are the same hue, an empty code is a reset, and other palettes leave the theme’s colour', () => {
  expect(parseAnsi(`${ESC}[94mblue${ESC}[m none ${ESC}[38;5;196mother${ESC}[38;2;1;2;3;4mlined`)).toEqual([
    { text: 'blue', colour: 'blue' },
    { text: ' none ' },
    { text: 'other' },
    { text: 'lined', isUnderlined: true },
  ])
})

it('cursor movements, titles and broken sequences leave no trace', () => {
  expect(stripAnsi(`${ESC}]0;title\u0007a${ESC}[2Kb${ESC}[10;3Hc${ESC}7`)).toBe('abc')
  expect(stripAnsi(`${ESC}]8;;http://evil${ESC}\\link${ESC}]8;;${ESC}\\`)).toBe('link')
})

it('of a line that overwrites itself the last state is shown', () => {
  expect(stripAnsi('10 %\r50 %\r100 %\r\n')).toBe('100 %')
})
