// `runyard doctor`: what is there and what is missing, in plain words, with the command that mends each. Exit code 1 where something
// that is needed is missing.
import type { CommandContext } from '../command.ts'
import type { Finding } from '../doctor/finding.ts'
import { checkHosts } from '../doctor/hosts.ts'
import { checkCaBundle, checkDisk, checkMemoryPolicy, checkPorts, checkPython, checkRedis, type Machine } from '../doctor/machine.ts'
import { ok } from '../doctor/finding.ts'
import { alignColumns, type Terminal } from '../output/terminal.ts'
import { loadSettings } from '../settings.ts'

export async function run(context: CommandContext): Promise<number> {
  const { out, env } = context
  const machine: Machine = { settings: await loadSettings(context), env }
  const findings = [
    ok('Node', `${process.version} (${process.execPath})`),
    await checkRedis(machine),
    ...(await checkHosts(machine)),
    await checkPython(machine),
    await checkPorts(machine),
    await checkMemoryPolicy(),
    await checkCaBundle(machine),
    await checkDisk(machine),
  ]
  const lines = alignColumns(findings.map((finding) => [mark(finding, out), finding.subject, finding.words]))
  const indent = lines.length === 0 ? '' : ' '.repeat(4 + Math.max(...findings.map(({ subject }) => subject.length)) + 1)
  for (const [index, line] of lines.entries()) {
    out.line(line)
    const mend = findings[index]?.mend
    if (mend !== undefined) out.line(`${indent}${out.dim('mend:')} ${mend}`)
  }
  return conclude(findings, out)
}

function mark({ verdict }: Finding, out: Terminal): string {
  if (verdict === 'ok') return out.good('✓')
  return verdict === 'note' ? out.bold('!') : out.bad('✗')
}

function conclude(findings: readonly Finding[], out: Terminal): number {
  const lacking = findings.filter(({ verdict }) => verdict === 'missing').map(({ subject }) => subject)
  out.line(lacking.length === 0 ? '\nReady: ./runyard demo, or ./runyard up' : `\n${out.bad('Missing:')} ${lacking.join(', ')}`)
  return lacking.length === 0 ? 0 : 1
}
