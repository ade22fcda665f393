// Which versions of NVIDIA's container toolkit have known holes through which an image escapes to its host. Distributions port fixes back without a new
// number, so an old version is a note with the bulletin and not a refusal.
import type { HostFinding } from '@runyard/schema'

/** The first version with the fix, newest first. */
const FIXES = [
  { version: '1.19.1', holes: 'CVE-2026-24260' },
  { version: '1.17.8', holes: 'CVE-2025-23266, CVE-2025-23267' },
  { version: '1.17.4', holes: 'CVE-2025-23359' },
  { version: '1.16.2', holes: 'CVE-2024-0132, CVE-2024-0133' },
] as const

const SAFE = FIXES[0].version
const MEND = `apt-get install --only-upgrade nvidia-container-toolkit (${SAFE} or newer)`

/** `output`: of `nvidia-ctk --version`; undefined: it could not be run. */
export function judgeToolkit(output: string | undefined): Pick<HostFinding, 'verdict' | 'words' | 'mend'> {
  const version = /version (\d+\.\d+\.\d+)/.exec(output ?? '')?.[1]
  if (version === undefined) return { verdict: 'note', words: `its version is not known; ${SAFE} is the oldest without known holes` }
  const open = FIXES.filter((fix) => isOlder(version, fix.version))
  if (open.length === 0) return { verdict: 'ok', words: version }
  return {
    verdict: 'note',
    words: `${version} has known holes, unless your distribution fixed them: ${open.map(({ holes }) => holes).join(', ')}`,
    mend: MEND,
  }
}

const isOlder = (version: string, than: string): boolean => version.localeCompare(than, 'en', { numeric: true }) < 0
