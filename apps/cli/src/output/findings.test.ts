import type { HostFinding } from '@runyard/schema'
import { expect, it } from 'vitest'
import { recorder } from '../testing/recorder.ts'
import { renderFindings } from './findings.ts'
import { widthOf } from './visible.ts'

const FINDINGS: readonly HostFinding[] = [
  { subject: 'Docker', verdict: 'ok', words: '20.10.24' },
  {
    subject: 'metadata service',
    verdict: 'note',
    words: 'workers can reach the metadata service of a cloud: the kernel refuses a routing rule',
    mend: 'open the firewall',
  },
]
const render = (columns: number, isTty = true) => renderFindings(FINDINGS, { ...recorder(), isTty, columns })

it('findings are lines with what mends them below', () => {
  expect(render(80, false)).toEqual([
    '✓  Docker            20.10.24',
    '!  metadata service  workers can reach the metadata service of a cloud: the kernel refuses a routing rule',
    '                     mend: open the firewall',
  ])
})

it.each([30, 40, 60, 80, 120])('findings fit a terminal of %d columns', (columns) => {
  const lines = render(columns)
  expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(columns)
  expect(lines.join(' ').replaceAll(/\s+/g, ' ')).toContain('routing rule mend: open the firewall')
  expect(lines).not.toContain('')
})
