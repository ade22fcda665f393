// Renders findings: one line per subject, and below it what mends it.
import type { HostFinding } from '@runyard/schema'
import { alignColumns, type Terminal } from './terminal.ts'

export function renderFindings(findings: readonly HostFinding[], out: Terminal): readonly string[] {
  const lines = alignColumns(findings.map((finding) => [mark(finding, out), finding.subject, finding.words]))
  const indent = ' '.repeat(4 + Math.max(...findings.map(({ subject }) => subject.length)) + 1)
  return lines.flatMap((line, index) => {
    const mend = findings[index]?.mend
    return mend === undefined ? [line] : [line, `${indent}${out.dim('mend:')} ${mend}`]
  })
}

function mark({ verdict }: HostFinding, out: Terminal): string {
  if (verdict === 'ok') return out.good('✓')
  return verdict === 'note' ? out.bold('!') : out.bad('✗')
}
