import { describe, expect, it } from 'vitest'
import { findPackageSource } from './apt-sources.ts'

const debian = 'PRETTY_NAME="Debian"\nVERSION_CODENAME=bookworm\n'
const stanzas = `Types: deb
# a comment
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://security.example/debian-security
Suites: bookworm-security
Components: main
`

describe('findPackageSource', () => {
  it('reads stanzas', () => {
    const source = findPackageSource({ osRelease: debian, sources: ['', stanzas] })
    expect(source).toEqual({
      mirror: 'http://mirror.example/debian',
      suite: 'bookworm',
      components: ['main', 'contrib'],
      keyring: '/usr/share/keyrings/debian-archive-keyring.gpg',
    })
  })

  it('names the keyring of the source, where it is one that debootstrap can read', () => {
    const keyringOf = (sources: string) => findPackageSource({ osRelease: debian, sources: [sources] })?.keyring
    expect(keyringOf('deb [arch=amd64 signed-by=/etc/keys/mine.gpg] http://m.example bookworm main')).toBe('/etc/keys/mine.gpg')
    expect(keyringOf('deb [signed-by=/etc/keys/mine.asc] http://m.example bookworm main')).toBeUndefined()
    expect(keyringOf('Types: deb\nURIs: http://m.example\nSuites: bookworm\nComponents: main\nSigned-By:\n -----BEGIN PGP')).toBeUndefined()
  })

  it('reads lines, with options and comments, and passes over foreign repositories', () => {
    const osRelease = 'VERSION_CODENAME="noble"\n'
    const lines =
      '# deb http://no\ndeb https://tool.example noble stable\ndeb-src http://src noble main\ndeb [arch=amd64] http://m.example noble main universe\n'
    expect(findPackageSource({ osRelease, sources: [lines] })).toEqual({
      mirror: 'http://m.example',
      suite: 'noble',
      components: ['main', 'universe'],
      keyring: undefined,
    })
  })

  it('knows nothing on a machine without apt', () => {
    expect(findPackageSource({ osRelease: 'ID=arch\n', sources: [] })).toBeUndefined()
    expect(findPackageSource({ osRelease: debian, sources: [''] })).toBeUndefined()
    expect(findPackageSource({ osRelease: debian, sources: [stanzas.replace('Types: deb', 'Enabled: no\nTypes: deb')] })).toBeUndefined()
  })
})
