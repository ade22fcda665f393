// `runyard doctor`: what is available and what is missing, in plain words, with the command that fixes each. Exit code 1 if a requirement is
// missing.
import type { CommandContext } from '../command.ts'
import { note, ok, type Finding } from '../doctor/finding.ts'
import { checkHosts } from '../doctor/hosts.ts'
import { checkCaBundle, checkDisk, checkMemoryPolicy, checkPorts, checkPython, checkRedis, type Machine } from '../doctor/machine.ts'
import { renderFindings } from '../output/findings.ts'
import { printJson } from '../output/print-json.ts'
import type { Terminal } from '../output/terminal.ts'
import { loadSettings } from '../settings.ts'
import { findUnknownCards } from '../stack/gpu-line.ts'

export async function run(context: CommandContext): Promise<number> {
  const { out, options, env } = context
  const machine: Machine = { settings: await loadSettings(context), env }
  const findings = [
    ...machine.settings.strayVariables.map((sentence) => note('settings', sentence)),
    ...findUnknownCards(machine.settings.config).map((sentence) => note('simulated GPUs', sentence)),
    ok('Node', `${process.version} (${process.execPath})`),
    await checkRedis(machine),
    ...(await checkHosts(machine)),
    await checkPython(machine),
    await checkPorts(machine),
    await checkMemoryPolicy(),
    await checkCaBundle(machine),
    await checkDisk(machine),
  ]
  if (options['json'] === true) printJson(out, findings)
  else show(findings, out)
  return lackingIn(findings).length === 0 ? 0 : 1
}

function show(findings: readonly Finding[], out: Terminal): void {
  for (const line of renderFindings(findings, out)) out.line(line)
  const lacking = lackingIn(findings)
  out.line()
  out.line(lacking.length === 0 ? 'Ready: ./runyard demo, or ./runyard up' : `${out.bad('Missing:')} ${lacking.join(', ')}`)
}

function lackingIn(findings: readonly Finding[]): readonly string[] {
  return findings.filter(({ verdict }) => verdict === 'missing').map(({ subject }) => subject)
}
