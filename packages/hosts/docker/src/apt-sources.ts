// Finds the mirrors of this machine's Debian or Ubuntu packages, because those are reachable. Reads both formats of apt's sources and skips entries
// that it does not understand.

export interface PackageSource {
  /** Undefined: debootstrap's own default. */
  readonly mirror: string | undefined
  readonly suite: string
  readonly components: readonly string[]
  /** The file of keys that the source names for itself; undefined: the distribution's own. */
  readonly keyring: string | undefined
}

export interface AptFiles {
  /** The text of /etc/os-release. */
  readonly osRelease: string
  /** The texts of sources.list and of the files in sources.list.d. */
  readonly sources: readonly string[]
}

/** The source of this release's main packages; undefined on a machine without apt. */
export function findPackageSource({ osRelease, sources }: AptFiles): PackageSource | undefined {
  const suite = /^VERSION_CODENAME="?([a-z]+)"?$/m.exec(osRelease)?.[1]
  if (suite === undefined) return undefined
  return sources
    .flatMap((text) => [...fromStanzas(text), ...fromLines(text)])
    .find((source) => source.suite === suite && source.components.includes('main'))
}

/** deb822: `Types:`, `URIs:`, `Suites:`, `Components:`, stanzas apart by an empty line. */
function fromStanzas(text: string): readonly PackageSource[] {
  return text.split(/\n\s*\n/).flatMap((stanza) => {
    const field = (name: string): readonly string[] => (new RegExp(`^${name}:(.*)$`, 'mi').exec(stanza)?.[1] ?? '').trim().split(/\s+/)
    if (!field('Types').includes('deb') || field('Enabled').includes('no')) return []
    const keyring = keyringOf(field('Signed-By')[0])
    return field('Suites').map((suite) => ({ mirror: field('URIs')[0], suite, components: field('Components'), keyring }))
  })
}

/** One line: `deb [options] mirror suite component…`. */
function fromLines(text: string): readonly PackageSource[] {
  return text.split('\n').flatMap((line) => {
    const [, options = '', mirror, suite, components] = /^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+(.+)$/.exec(line.trim()) ?? []
    if (suite === undefined || components === undefined) return []
    const keyring = keyringOf(/\bsigned-by=(\S+)/i.exec(options)?.[1])
    return [{ mirror, suite, components: components.trim().split(/\s+/), keyring }]
  })
}

/** debootstrap reads binary keyrings alone; apt also takes keys as text, in a file or in the stanza itself. */
function keyringOf(signedBy: string | undefined): string | undefined {
  return signedBy?.startsWith('/') === true && signedBy.endsWith('.gpg') ? signedBy : undefined
}
