// What the selected tests need from the machine, as their files declare it (`suiteThatNeeds(['redis', 'venv:runpod-1.12'], …)`), so that one
// file does not wait for Docker, twenty Python environments and a browser.
import { VENV_NAMES, type VenvName } from '../../test/harness/venvs.ts'

export interface Needs {
  readonly docker: boolean
  readonly browser: boolean
  /** Programs unpacked from Debian packages: the image registry, promtool and programs of engines. */
  readonly debianPrograms: boolean
  readonly venvs: readonly VenvName[]
}

export const ALL_NEEDS: Needs = { docker: true, browser: true, debianPrograms: true, venvs: VENV_NAMES }

export interface TestFile {
  /** Relative to the repository. */
  readonly path: string
  readonly text: string
}

export function needsOf(files: readonly TestFile[]): Needs {
  const names = (word: string): boolean => files.some(({ text }) => text.includes(`'${word}'`))
  // A file that computes the names of its environments may need any of them.
  const anyVenv = files.some(({ text }) => text.includes('`venv:'))
  return {
    docker: names('docker') || files.some(({ path }) => /^(?:packages\/hosts|test)\/docker\//.test(path)),
    browser: names('browser'),
    debianPrograms: ['image-registry', 'promtool', 'gvisor', 'newer-dockerd'].some(names),
    venvs: anyVenv ? VENV_NAMES : VENV_NAMES.filter((name) => names(`venv:${name}`)),
  }
}
