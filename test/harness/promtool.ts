// Prometheus' own checker of metric names and types, from Debian's package of Prometheus.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { findOnPath, tryCommand } from './child.ts'
import { unpackDebianPackages } from './debian.ts'
import { cacheDir } from './venvs.ts'

const PROGRAMS = join(cacheDir(), 'prometheus')

function findPromtool(): string | undefined {
  const unpacked = join(PROGRAMS, 'usr', 'bin', 'promtool')
  return findOnPath('promtool') ?? (existsSync(unpacked) ? unpacked : undefined)
}

export function isPromtoolReady(): boolean {
  return findPromtool() !== undefined
}

export async function unpackPromtool(): Promise<void> {
  await unpackDebianPackages(['prometheus'], PROGRAMS)
}

/** The problems that it finds in an exposition; empty: none. */
export async function checkMetrics(exposition: string): Promise<string> {
  const { code, stdout, stderr } = await tryCommand(findPromtool() ?? 'promtool', ['check', 'metrics'], { input: exposition })
  const said = `${stdout}${stderr}`.trim()
  return code === 0 ? said : said || `promtool ended with ${code}`
}
