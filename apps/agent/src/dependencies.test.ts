// A job gets the dependencies that it names, whatever earlier jobs of its worker have named, and whatever has interrupted them (ADR 39).
// Wheels of our own in a directory stand for the package index.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { beforeEach, describe, expect, vi } from 'vitest'
import { gateway, it, scratch, start as startOne } from './testing/agent-test.ts'
import { flashCall, python, type TestWorker } from './testing/worker.ts'

let worker: TestWorker
let index: string

beforeEach(() => {
  index = join(scratch, 'index')
  mkdirSync(index)
  worker = start()
})

/** Both install; uv is what most workers have, and takes a tenth of the time. */
const INSTALLERS = ['uv', 'pip'] as const
async function installWith(installer: (typeof INSTALLERS)[number]): Promise<void> {
  if (installer === 'uv') return
  await worker[Symbol.asyncDispose]()
  const withoutUv = (process.env['PATH'] ?? '').split(delimiter).filter((place) => !existsSync(join(place, 'uv')))
  worker = start({ PATH: withoutUv.join(delimiter) })
}

function start(env: Record<string, string> = {}): TestWorker {
  const offline = { PIP_NO_INDEX: '1', PIP_FIND_LINKS: index, UV_OFFLINE: '1', UV_FIND_LINKS: index }
  return startOne({ env: { RUNYARD_SCRATCH_DIR: scratch, RUNYARD_ENVELOPE: 'flash', ...offline, ...env } })
}

interface Wheel {
  readonly version?: string
  readonly requires?: string
  readonly value?: string
}

/** A wheel is a zip file with a module `name` whose VALUE is its version; this one needs no registry. */
function buildWheel(name: string, { version = '1.0', requires = '', value = version }: Wheel = {}): string {
  const wheel = join(index, `${name}-${version}-py3-none-any.whl`)
  const metadata = `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\nProvides-Extra: more\n${requires === '' ? '' : `Requires-Dist: ${requires}\n`}`
  const files: Record<string, string> = {
    [`${name}/__init__.py`]: `VALUE = ${JSON.stringify(value)}\n`,
    [`${name}-${version}.dist-info/METADATA`]: metadata,
    [`${name}-${version}.dist-info/WHEEL`]: 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
    [`${name}-${version}.dist-info/RECORD`]: `${name}/__init__.py,,\n`,
  }
  const code =
    'import json, sys, zipfile\nwheel, files = json.load(sys.stdin)\nwith zipfile.ZipFile(wheel, "w") as z:\n    for p, t in files.items(): z.writestr(p, t)'
  python(code, JSON.stringify([wheel, files]))
  return wheel
}

const USE = 'def f():\n    import tiny\n    return tiny.VALUE\n'
async function run(dependencies: unknown, code = USE) {
  return (await gateway.run(flashCall('f', code, { dependencies, serialization_format: 'json' }))).body
}
const valueOf = async (dependencies: unknown, code = USE) => {
  const { output, error } = await run(dependencies, code)
  expect(error).toBeUndefined()
  return output.json_result
}

describe('a dependency with a version', () => {
  it.each(INSTALLERS)('is what the job gets by %s, also after a job that named another one and has it in memory', async (installer) => {
    await installWith(installer)
    for (const version of ['1.0', '2.0']) buildWheel('tiny', { version })
    for (const [wanted, version] of [
      ['tiny==1.0', '1.0'],
      ['tiny==2.0', '2.0'],
      ['Tiny < 2; python_version >= "3"', '1.0'],
    ]) {
      expect([wanted, await valueOf([wanted])]).toEqual([wanted, version])
    }
  })

  it('that is there already costs no second look and no fresh process', async () => {
    buildWheel('tiny')
    const pid = 'def f():\n    import os, tiny\n    return os.getpid()\n'
    const first = await valueOf(['tiny==1.0'], pid)
    const { output } = await run(['tiny==1.0'], pid)
    expect(output).toMatchObject({ json_result: first, stdout: '' })
  })

  it('contradicting another one of the call is refused in the resolver’s words', async () => {
    for (const version of ['1.0', '2.0']) buildWheel('tiny', { version })
    buildWheel('needy', { requires: 'tiny>=2' })
    for (const dependencies of [
      ['tiny==1.0', 'tiny==2.0'],
      ['tiny<2', 'needy'],
    ]) {
      const { error } = await run(dependencies)
      expect(error).toMatch(/^installing the dependencies tiny.* failed \(exit code \d\):\n/)
      expect(error).toMatch(/conflict|unsatisfiable|Double requirement/i)
    }
  })

  it('of what another package needs is put back for that package', async () => {
    for (const version of ['1.0', '2.0']) buildWheel('tiny', { version })
    buildWheel('needy', { requires: 'tiny>=2' })
    expect(await valueOf(['needy'])).toBe('2.0')
    expect(await valueOf(['tiny<2'])).toBe('1.0')
    expect(await valueOf(['needy'])).toBe('2.0')
  })
})

it('a job gets the version that it names, also of a module that was preloaded in another one', async () => {
  for (const version of ['1.0', '2.0']) buildWheel('tiny', { version })
  expect(await valueOf(['tiny==1.0'])).toBe('1.0')
  await worker[Symbol.asyncDispose]()
  worker = start({ RUNYARD_PRELOAD: 'tiny' })
  const preloaded = 'def f():\n    import sys\n    return "tiny" in sys.modules\n'
  expect(await valueOf([], preloaded)).toBe(true)
  expect(await valueOf(['tiny==2.0'])).toBe('2.0')
  expect(await valueOf(['tiny==1.0'])).toBe('1.0')
})

describe('a dependency', () => {
  it('may be written in any case, with - or _, with extras and as a file', async () => {
    buildWheel('tiny_thing')
    buildWheel('tiny', { requires: "tiny-thing; extra == 'more'" })
    const thing = 'def f():\n    import tiny_thing\n    return tiny_thing.VALUE\n'
    expect(await valueOf(['tiny[more]'], thing)).toBe('1.0')
    for (const name of ['Tiny-Thing', 'tiny_thing', 'TINY.thing'])
      expect((await run([name], thing)).output).toMatchObject({ json_result: '1.0', stdout: '' })
    const wheel = buildWheel('filed')
    expect(await valueOf([`filed @ file://${wheel}`], 'def f():\n    import filed\n    return filed.VALUE\n')).toBe('1.0')
  })

  it('whose marker is not for this Python is left out', async () => {
    expect(await valueOf(['tiny; python_version < "3"'], 'def f():\n    return 1\n')).toBe(1)
  })

  it('that is a file is installed again when the file is another one under the same version', async () => {
    const wheel = buildWheel('tiny', { value: 'old' })
    expect(await valueOf([wheel])).toBe('old')
    utimesSync(buildWheel('tiny', { value: 'new' }), 1, 1)
    expect(await valueOf([wheel])).toBe('new')
  })

  it.for([
    [['--index-url=https://elsewhere'], "dependencies: '--index-url=https://elsewhere' is an option of the installer, not a package"],
    ['tiny', 'dependencies must be a list of texts'],
    [[1], 'dependencies must be a list of texts'],
    [[''], 'dependencies must be a list of texts'],
  ] as const)('that is %j is refused', async ([dependencies, error]) => {
    expect((await run(dependencies)).error).toBe(error)
  })
})

describe('an install that does not end well', () => {
  /** A source package whose build waits for a file. */
  function buildSlowSource(flag: string): void {
    const backend = [
      'import os, shutil, time',
      'def build_wheel(directory, *_):',
      `    open(${JSON.stringify(`${flag}.awaited`)}, "w").close()`,
      `    while not os.path.exists(${JSON.stringify(flag)}): time.sleep(0.01)`,
      `    shutil.copy(${JSON.stringify(join(scratch, 'built', 'tiny-1.0-py3-none-any.whl'))}, directory)`,
      '    return "tiny-1.0-py3-none-any.whl"',
    ].join('\n')
    const pyproject =
      '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n[project]\nname = "tiny"\nversion = "1.0"\n'
    const code = [
      'import io, json, sys, tarfile',
      'path, files = json.load(sys.stdin)',
      'with tarfile.open(path, "w:gz") as t:',
      '    for name, text in files.items():',
      '        info = tarfile.TarInfo("tiny-1.0/" + name); info.size = len(text); t.addfile(info, io.BytesIO(text.encode()))',
    ].join('\n')
    const files = { 'PKG-INFO': 'Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n', 'pyproject.toml': pyproject, 'backend.py': backend }
    python(code, JSON.stringify([join(index, 'tiny-1.0.tar.gz'), files]))
  }

  it.each(INSTALLERS)('by %s because its job was cancelled is not taken for done, and what it left half is not used', async (installer) => {
    await installWith(installer)
    const wheel = buildWheel('tiny')
    mkdirSync(join(scratch, 'built'))
    python('import sys, shutil; shutil.move(*sys.stdin.read().split("|"))', `${wheel}|${join(scratch, 'built')}`)
    const flag = join(scratch, 'go')
    buildSlowSource(flag)
    gateway.give({ id: 'cancelled', input: flashCall('f', USE, { dependencies: ['tiny'] }) })
    await vi.waitUntil(() => existsSync(`${flag}.awaited`))
    gateway.stop('cancelled')
    // The next job shows that the stopped one is over. An installer that was killed later would have left this much.
    const half = [
      'def f():',
      '    import os, sys',
      '    site = os.environ["RUNYARD_SCRATCH_DIR"] + "/venv/lib/python%d.%d/site-packages/tiny-1.0.dist-info" % sys.version_info[:2]',
      '    os.makedirs(site)',
      '    open(site + "/METADATA", "w").write("Metadata-Version: 2.1\\nName: tiny\\nVersion: 1.0\\n")',
    ].join('\n')
    expect(await valueOf([], half)).toBeNull()
    writeFileSync(flag, '')
    expect(await valueOf(['tiny'])).toBe('1.0')
  })

  it('because nothing of that name exists leaves what is there as it is', async () => {
    buildWheel('tiny')
    expect(await valueOf(['tiny==1.0'])).toBe('1.0')
    expect((await run(['nowhere-to-be-found'])).error).toMatch(/^installing the dependencies nowhere-to-be-found failed/)
    expect((await run(['tiny==1.0'])).output).toMatchObject({ json_result: '1.0', stdout: '' })
  })
})

describe('an installer', () => {
  const tool = (...command: string[]) =>
    `def f():\n    from runyard_runner import installers\n    installers.run_tool(${JSON.stringify(command)}, "installing torch")\n`

  it('shows the packages that it downloads or builds, and its other lines only where it fails', async () => {
    const lines = 'echo Resolved 3 packages; echo " Downloading torch (846.8MiB)"; echo "   Building tiny==1.0"'
    expect((await run([], tool('sh', '-c', lines))).output.stdout).toBe('Downloading torch (846.8MiB)\nBuilding tiny==1.0\n')
    expect((await run([], tool('sh', '-c', `${lines}; exit 3`))).error).toMatch(/^installing torch failed \(exit code 3\):\nResolved 3/)
  })

  it('is stopped, with what it has started, after the time that a setting gives it', async () => {
    await worker[Symbol.asyncDispose]()
    worker = start({ RUNYARD_DEPENDENCY_LIMIT_S: '1' })
    const { error } = await run([], tool('sh', '-c', 'sleep 60 & sleep 60'))
    expect(error).toContain('installing torch took longer than 1 s and was stopped (setting dependencyLimitS)')
  })
})

describe('what the runner brings by its own lock', () => {
  const hashOf = (wheel: string): string => createHash('sha256').update(readFileSync(wheel)).digest('hex')
  function lock(entries: Readonly<Record<string, string>>): string {
    const path = join(scratch, 'sdk.lock')
    const lines = Object.entries(entries).map(([pin, hash]) => `${pin} ; python_full_version >= '3.8' \\\n    --hash=sha256:${hash}\n`)
    writeFileSync(path, `# A lock.\n${lines.join('')}`)
    return `def f():\n    from runyard_runner import dependencies\n    dependencies.install_locked(${JSON.stringify(path)}, "tiny")\n    import tiny\n    return tiny.VALUE\n`
  }

  it.each(INSTALLERS)('is by %s the locked version, with what else of the lock is not there yet', async (installer) => {
    await installWith(installer)
    buildWheel('tiny', { version: '2.0' })
    const code = lock({ 'helper==1.0': hashOf(buildWheel('helper')), 'tiny==1.0': hashOf(buildWheel('tiny')) })
    expect(await valueOf([], code.replace('import tiny', 'import helper, tiny'))).toBe('1.0')
  })

  it('is refused where the index serves another file', async () => {
    buildWheel('tiny')
    const { error } = await run([], lock({ 'tiny==1.0': '0'.repeat(64) }))
    expect(error).toMatch(/^installing the dependencies tiny failed/)
    expect(error).toMatch(/hash/i)
  })
})
