// Renders findings: one line per subject, and below it what mends it. On a terminal all fits its width.
import type { HostFinding } from '@runyard/schema'
import { renderTable } from './table.ts'
import type { Terminal } from './terminal.ts'

export function renderFindings(findings: readonly HostFinding[], out: Terminal): readonly string[] {
  const rows = findings.flatMap((finding) => {
    const { subject, words, mend } = finding
    const row = [`${mark(finding, out)}  ${subject}`, words]
    return mend === undefined ? [row] : [row, ['', `${out.dim('mend:')} ${mend}`]]
  })
  return renderTable(out, rows)
}

function mark({ verdict }: HostFinding, out: Terminal): string {
  if (verdict === 'ok') return out.good('✓')
  return verdict === 'note' ? out.bold('!') : out.bad('✗')
}
