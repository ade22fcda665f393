// Prometheus and its own checker, from Debian's package of Prometheus.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { findOnPath, tryCommand } from './child.ts'
import { unpackDebianPackages } from './debian.ts'
import { cacheDir } from './venvs.ts'

const PROGRAMS = join(cacheDir(), 'prometheus')

export function findPrometheus(program: 'prometheus' | 'promtool'): string | undefined {
  const unpacked = join(PROGRAMS, 'usr', 'bin', program)
  return findOnPath(program) ?? (existsSync(unpacked) ? unpacked : undefined)
}

export function isPromtoolReady(): boolean {
  return findPrometheus('promtool') !== undefined && findPrometheus('prometheus') !== undefined
}

export async function unpackPromtool(): Promise<void> {
  await unpackDebianPackages(['prometheus'], PROGRAMS)
}

/** The problems that it finds in an exposition; empty: none. */
export async function checkMetrics(exposition: string): Promise<string> {
  return promtool(['check', 'metrics'], exposition)
}

/** The problems that it finds in files of rules; empty: none. */
export async function checkRules(files: readonly string[]): Promise<string> {
  return promtool(['check', 'rules', ...files])
}

/** The failures of a file of tests of rules; empty: none. */
export async function testRules(file: string): Promise<string> {
  return promtool(['test', 'rules', file])
}

async function promtool(args: readonly string[], input?: string): Promise<string> {
  const { code, stdout, stderr } = await tryCommand(findPrometheus('promtool') ?? 'promtool', args, input === undefined ? {} : { input })
  const said = `${stdout}${stderr}`.trim()
  if (code !== 0) return said || `promtool ended with ${code}`
  // It says of metrics what it finds, and of rules what it has looked at.
  return args[1] === 'metrics' ? said : ''
}
