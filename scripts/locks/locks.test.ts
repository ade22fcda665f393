// Checks the lock files without a network: every requested package is in its lock, in one version, with hashes.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readPackages, toRequirements } from './pylock.ts'
import { ALONE, WANTED } from './wanted.ts'
import { LOCKED_VENVS, VENV_NAMES } from '../../test/harness/venvs.ts'
import { lockedRequirements } from '../../test/harness/venv-lock.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

/** `name==version` of each entry. @throws Error for an entry without a version or a hash. */
function pinsOf(lock: string): readonly string[] {
  const entries = lock.split(/\n(?=\S)/).filter((entry) => entry.trim() !== '' && !entry.startsWith('#'))
  return entries.map((entry) => {
    const pin = /^[\w.-]+==\S+/.exec(entry)?.[0]
    if (pin === undefined || !/--hash=sha256:[0-9a-f]{64}/.test(entry)) throw new Error(`not pinned: ${entry}`)
    return pin
  })
}

function missing(wanted: readonly string[], lock: string): readonly string[] {
  const pins = pinsOf(lock)
  const plain = wanted.map((name) => name.replace(/\[.*\]/, ''))
  return plain.filter((name) => !pins.some((pin) => pin === name || pin.startsWith(`${name}==`)))
}

describe('the lock files', () => {
  it.each(Object.entries(WANTED))('%s has all requested packages', (path, wanted) => {
    expect(missing([...wanted, ...(ALONE[path] ?? [])], read(path))).toEqual([])
  })

  it.each(VENV_NAMES.map((name) => [name, LOCKED_VENVS[name]] as const))(
    'the environment %s has all requested packages',
    (name, wanted) => {
      expect(missing(wanted, lockedRequirements(name))).toEqual([])
    },
  )

  it('give the default image what a process host installs for Flash', () => {
    expect(read('docker/flash.lock')).toBe(read('apps/agent/runner/runyard_runner/flash.lock'))
  })

  it('agree on the version of uv', () => {
    const [, version] = /"uv": \(\s*"([\d.]+)"/.exec(read('apps/cli/fetch-wheel.py')) ?? []
    expect(pinsOf(read('docker/requirements.lock'))).toContain(`uv==${version}`)
  })
})

describe('a lock', () => {
  const wheel = (name: string, hash: string): string =>
    `{ url = "https://files.example/${name}", size = 1, hashes = { sha256 = "${hash.repeat(64)}" } },`
  const pylock = (files: string): string =>
    `lock-version = "1.0"\n\n[[packages]]\nname = "thing"\nversion = "1.0"\nmarker = "x > '3'"\n${files}\n`

  it('has hashes only of files for supported systems', () => {
    const files = [
      wheel('thing-1.0-cp312-cp312-manylinux_2_28_x86_64.whl', 'a'),
      wheel('thing-1.0-cp312-cp312-win_amd64.whl', 'b'),
      wheel('thing-1.0-cp38-cp38-manylinux2014_x86_64.whl', 'c'),
      wheel('thing-1.0-py3-none-any.whl', 'd'),
      wheel('thing-1.0.tar.gz', 'e'),
    ].join('\n')
    expect(toRequirements(readPackages(pylock(files)))).toBe(
      `thing==1.0 ; x > '3' \\\n    --hash=sha256:${'a'.repeat(64)} \\\n    --hash=sha256:${'d'.repeat(64)}\n`,
    )
  })

  it('has the hash of the source if there is no wheel, and is an error if no file is supported', () => {
    expect(toRequirements(readPackages(pylock(wheel('thing-1.0.tar.gz', 'e'))))).toContain('e'.repeat(64))
    expect(() => readPackages(pylock(wheel('thing-1.0-cp312-cp312-win_amd64.whl', 'b')))).toThrow('thing==1.0 has no file that runs here')
  })
})
