// Converts the output of `uv pip compile --format pylock.toml` to requirements with hashes. Files for unsupported systems are omitted: they
// would be two thirds of a lock.

export interface LockedPackage {
  /** `name==version` */
  readonly pin: string
  readonly marker: string | undefined
  readonly hashes: readonly string[]
}

/** By file name (PEP 427): other systems and processors, other Python implementations, Python before 3.10, free-threaded builds. */
const NOT_OURS =
  /win32|win_amd64|win_arm64|_i686|_ppc64|_s390x|_armv7l|_riscv64|_loongarch64|-(?:pp|graalpy)3|-cp3\d+-cp3\d+t-|-cp3[6-9]-cp3[6-9]|-cp2|ios_|android_|wasm/

/** @throws Error naming a package without a supported file. */
export function readPackages(pylock: string): readonly LockedPackage[] {
  return pylock
    .split('[[packages]]\n')
    .slice(1)
    .map((block) => {
      const pin = `${field(block, 'name')}==${field(block, 'version')}`
      const files = [...block.matchAll(/url = "[^"]*\/([^"/]+)"[^}]*sha256 = "([0-9a-f]{64})"/g)]
      const wheels = files.filter(([, name = '']) => name.endsWith('.whl') && !NOT_OURS.test(name))
      const sources = files.filter(([, name = '']) => !name.endsWith('.whl'))
      const hashes = (wheels.length > 0 ? wheels : sources).map(([, , hash = '']) => hash)
      if (hashes.length === 0) throw new Error(`${pin} has no file that runs here`)
      return { pin, marker: /^marker = "(.*)"$/m.exec(block)?.[1], hashes: hashes.toSorted() }
    })
}

function field(block: string, name: string): string {
  const value = new RegExp(`^${name} = "(.*)"$`, 'm').exec(block)?.[1]
  if (value === undefined) throw new Error(`a package without ${name}: ${block.slice(0, 200)}`)
  return value
}

export function toRequirements(packages: readonly LockedPackage[]): string {
  return packages.map(toRequirement).join('')
}

function toRequirement({ pin, marker, hashes }: LockedPackage): string {
  const condition = marker === undefined ? '' : ` ; ${marker}`
  return `${pin}${condition}${hashes.map((hash) => ` \\\n    --hash=sha256:${hash}`).join('')}\n`
}
