// The package as npm would carry it works alone: packed, unpacked beside its one dependency, imported by plain Node and by TypeScript.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'

const PACKAGE = join(import.meta.dirname, '..')
const run = (cwd: string, file: string, ...args: string[]): string => execFileSync(file, args, { cwd, encoding: 'utf8', stdio: 'pipe' })

it('is usable once it is packed', { timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'nvidia-smi-parser-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  run(PACKAGE, 'pnpm', 'pack', '--pack-destination', folder)
  const [tarball = ''] = readdirSync(folder)
  const modules = join(folder, 'node_modules')
  mkdirSync(join(modules, '@runyard'), { recursive: true })
  run(folder, 'tar', '-xzf', tarball, '-C', join(modules, '@runyard'))
  run(folder, 'mv', join(modules, '@runyard/package'), join(modules, '@runyard/nvidia-smi-parser'))
  symlinkSync(realpathSync(join(PACKAGE, 'node_modules/fast-xml-parser')), join(modules, 'fast-xml-parser'))

  const program = [
    `import { readFileSync } from 'node:fs'`,
    `import { isFit, parseNvidiaSmi } from '@runyard/nvidia-smi-parser'`,
    `const result = parseNvidiaSmi(readFileSync(${JSON.stringify(join(PACKAGE, 'fixtures/two-geforce-550.xml'))}, 'utf8'))`,
    `console.log(result.kind === 'report' && result.gpus.filter(isFit).length)`,
  ].join('\n')
  writeFileSync(join(folder, 'program.mjs'), program)
  writeFileSync(join(folder, 'program.mts'), program)
  expect(run(folder, process.execPath, 'program.mjs').trim()).toBe('2')

  symlinkSync(join(dirname(PACKAGE), '..', 'node_modules/@types'), join(modules, '@types'))
  const tsc = join(PACKAGE, 'node_modules/.bin/tsc')
  run(folder, tsc, '--noEmit', '--strict', '--module', 'nodenext', '--types', 'node', 'program.mts')
  expect(JSON.parse(readFileSync(join(modules, '@runyard/nvidia-smi-parser/package.json'), 'utf8'))).not.toHaveProperty('private')
})
