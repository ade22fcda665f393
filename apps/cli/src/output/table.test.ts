import { describe, expect, it } from 'vitest'
import { recorder } from '../testing/recorder.ts'
import { renderTable } from './table.ts'
import { widthOf } from './visible.ts'

const HEAD = ['job', 'status', 'waited', 'worker']
const JOBS = [
  ['8f0c2d1e-4b7a-4c55-9d0e-1a2b3c4d5e6f-u1', 'IN_QUEUE', '–', '–'],
  ['b', 'FAILED', '1.2 s', 'w-0123456789abcdef'],
]
const NOTES = [
  ['  up', 'starts everything on this machine and shows its state'],
  ['  down', 'stops it'],
]
const terminal = (columns: number) => ({ ...recorder(), isTty: true, columns })

describe('a table', () => {
  it('is aligned where it fits, with its titles', () => {
    expect(renderTable(terminal(80), JOBS, HEAD)).toEqual([
      'job                                      status    waited  worker',
      '8f0c2d1e-4b7a-4c55-9d0e-1a2b3c4d5e6f-u1  IN_QUEUE  –       –',
      'b                                        FAILED    1.2 s   w-0123456789abcdef',
    ])
  })

  it('becomes a block per row on a terminal of 40 columns, without empty facts', () => {
    expect(renderTable(terminal(40), JOBS, HEAD)).toEqual([
      '8f0c2d1e-4b7a-4c55-9d0e-1a2b3c4d5e6f-u1',
      '  status IN_QUEUE',
      'b',
      '  status FAILED  waited 1.2 s',
      '  worker w-0123456789abcdef',
    ])
  })

  it('wraps a last column of words below itself', () => {
    const expected = ['  up    starts everything on this', '        machine and shows its state', '  down  stops it']
    expect(renderTable(terminal(36), NOTES)).toEqual(expected)
    expect(renderTable(terminal(24), NOTES)).toContain('    stops it')
  })

  it('leaves a word that is longer than the line to the terminal', () => {
    const path = `/${'x'.repeat(60)}`
    expect(renderTable(terminal(40), [...NOTES, ['  logs', path]]).at(-1)).toBe(`  logs  ${path}`)
  })

  it.each([30, 40, 50, 60, 80, 100])('of sentences fits %d columns', (columns) => {
    const rows = [['caption', '12', '2 idle', `no host has a GPU of the requested types: ${'wanted NVIDIA L4, '.repeat(5)}`]]
    const lines = renderTable(terminal(columns), rows, ['endpoint', 'queued', 'workers', 'message'])
    expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(columns)
  })

  it('keeps one line per row where the output is no terminal', () => {
    expect(renderTable({ ...terminal(20), isTty: false }, JOBS, HEAD)).toHaveLength(3)
  })
})
