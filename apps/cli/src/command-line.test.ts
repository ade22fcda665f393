import { globSync, readFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { directory as cwd, it } from '@runyard/testing/directory'
import { runCommandLine } from './command-line.ts'
import { COMMANDS, commandsIn, GROUPS } from './commands.ts'
import { ROOT } from './locations.ts'
import { widthOf } from './output/visible.ts'
import { recorder } from './testing/recorder.ts'

async function runyard(words: readonly string[], env: Record<string, string> = {}, columns?: number) {
  const out = recorder(columns)
  const err = recorder()
  const code = await runCommandLine(words, { env: { HOME: cwd, ...env }, cwd, out, err })
  return { code, out: out.text(), err: err.text() }
}

describe('runyard', () => {
  it.each([[[]], [['--help']], [['-h']], [['help']]])('lists the commands for %j', async (words) => {
    const { code, out, err } = await runyard(words)
    expect({ code, err }).toEqual({ code: 0, err: '' })
    for (const name of [
      'up',
      'demo',
      'env',
      'status',
      'endpoints',
      'workers',
      'jobs',
      'logs',
      'usage',
      'webhooks',
      'registries',
      'config',
      'doctor',
      'test',
    ])
      expect(out).toMatch(new RegExp(`^  ${name} `, 'm'))
  })

  it('knows the group of each command of two words', () => {
    const groups = COMMANDS.flatMap(({ name }) => (name.includes(' ') ? [name.split(' ')[0]] : []))
    expect(new Set(groups)).toEqual(new Set(Object.keys(GROUPS)))
  })

  it('opens no store but for the key of a data directory: all else goes over the routes', () => {
    const source = import.meta.dirname
    const opens = (path: string): boolean => /from '(?:@runyard\/store|ioredis)'/u.test(readFileSync(join(source, path), 'utf8'))
    const paths = globSync('**/*.ts', { cwd: source }).filter((path) => !path.endsWith('.test.ts') && opens(path))
    expect(paths.toSorted()).toEqual(['commands/keys.ts'])
  })

  it('has `test` only where the tests are', () => {
    const isThere = (root: string): boolean => commandsIn(root).some(({ name }) => name === 'test')
    expect([isThere(ROOT), isThere(tmpdir())]).toEqual([true, false])
  })

  it('prints its version', async () => {
    expect((await runyard(['--version'])).out).toMatch(/^runyard \d+\.\d+\.\d+\n$/)
  })

  it.each([
    [['dmo'], 'runyard: there is no command `dmo`; did you mean `demo`?\n'],
    [['frobnicate'], 'runyard: there is no command `frobnicate`; `runyard --help` lists the commands\n'],
    [['up', '--prot', '1'], 'runyard: `up` has no option --prot; did you mean --port?\n'],
    [['env', 'more'], /usage: runyard env/],
    [['endpoints', '--force'], 'runyard: `endpoints` has no command `--force`; `runyard endpoints` lists its commands\n'],
    [['gpux'], 'runyard: there is no command `gpux`; did you mean `gpus`?\n'],
    [['cards'], 'runyard: there is no command `cards`; `runyard --help` lists the commands\n'],
    [['up', '--data', ''], /^runyard: --data takes a value, and an empty text is none; usage: .*\n$/],
    [['endpoints', 'update', 'a', '--unset-env='], /^runyard: --unset-env takes a value, and an empty text is none; usage: .*\n$/],
    [['up', '--port'], /^runyard: --port takes a value; usage: .*\n$/],
    [['usage', '--json=x'], /^runyard: --json takes no value; usage: .*\n$/],
    [['endpoint'], 'runyard: there is no command `endpoint`; did you mean `endpoints`?\n'],
    [['endpoints', 'crate'], 'runyard: `endpoints` has no command `crate`; did you mean `create`?\n'],
    [['endpoints', 'list', '--jsn'], 'runyard: `endpoints list` has no option --jsn; did you mean --json?\n'],
  ])('refuses %j in one sentence and with exit code 2', async (words, sentence) => {
    const { code, out, err } = await runyard(words)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(sentence)
  })

  it.each([[['endpoints']], [['endpoints', '--help']], [['help', 'endpoints']]])('lists the commands of a group for %j', async (words) => {
    const { code, out } = await runyard(words)
    expect(code).toBe(0)
    for (const name of ['create', 'list', 'show', 'update', 'delete']) expect(out).toMatch(new RegExp(`^  endpoints ${name} `, 'm'))
  })

  it.each([
    [['endpoints', 'create'], 'a new endpoint needs --name and --image'],
    [['endpoints', 'create', '--name', 'a', '--image', 'b', '--workers', 'many'], '--workers takes MIN..MAX such as 0..3'],
    [['endpoints', 'show'], 'name one endpoint by its name or id; none was given'],
    [['endpoints', 'delete', 'a', 'b'], '2 were given'],
    [['jobs', 'a', '--limit', 'x'], '--limit takes a whole number from 1 to 1000000; "x" is none'],
    [['registries', 'add', '--username', 'me'], '`runyard registries add NAME` takes one name for the new registry; none was given'],
    [['secrets', 'set'], '`runyard secrets set NAME` takes one name of the secret; none was given'],
    [['rollback', 'a', '0'], 'a release is named by its number, from 1 on'],
    [['registries', 'add', 'mine'], 'registry credentials need --username'],
    [['webhooks', 'redeliver', 'a'], 'name an endpoint and an event of it'],
    [['usage', '--since', 'yesterday'], '--since takes a span such as 90m'],
    [['up', '--port', 'abc'], '--port takes a whole number from 0 to 65535; "abc" is none.'],
    [['up', '--port', '0x50'], '--port takes a whole number from 0 to 65535; "0x50" is none.'],
    [['up', '--port', ''], '--port takes a value, and an empty text is none; usage: runyard up'],
    [['up', '--port', '-1'], '--port takes a whole number from 0 to 65535; "-1" is none.'],
    [['up', '--port=-1'], '--port takes a whole number'],
  ])('refuses %j in one sentence and with exit code 2 before it asks anybody', async (words, sentence) => {
    const { code, out, err } = await runyard([...words, '--data', join(cwd, 'none')])
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain(sentence)
  })

  it('sorts the commands by what they are for', async () => {
    const { out } = await runyard(['--help'])
    expect(out.match(/^[A-Z][a-z]+:$/gmu)).toEqual(['Run:', 'Use:', 'See:', 'Keep:'])
    expect(out).toMatch(/^Run:\n {2}up .*\n {2}demo /mu)
  })

  it('knows short words', async () => {
    expect((await runyard(['ls', '--help'])).out).toContain('Usage: runyard endpoints list ')
    expect((await runyard(['rm', '--help'])).out).toContain('Usage: runyard endpoints delete ')
    expect((await runyard(['ps', '--help'])).out).toContain('Usage: runyard workers ')
    expect((await runyard(['hosts', 'rm', '--help'])).out).toContain('Usage: runyard hosts remove ')
  })

  it.each([60, 80, 120])('wraps no help page in the middle of a word at %i columns', async (columns) => {
    for (const name of ['', ...Object.keys(GROUPS), ...COMMANDS.map((command) => command.name)]) {
      const { code, out } = await runyard([...name.split(' '), '--help'], {}, columns)
      expect(code).toBe(0)
      expect(out).toMatch(/^Usage: runyard /u)
      expect(out.split('\n').filter((line) => widthOf(line) > columns)).toEqual([])
    }
  })

  it('shows defaults with `endpoints create` and none with `endpoints update`, which changes only what is named', async () => {
    expect((await runyard(['endpoints', 'create', '--help'])).out).toContain('MAX alone (default: 0..3)')
    expect((await runyard(['endpoints', 'update', '--help'])).out).not.toMatch(/\(default:\s+\d/u)
  })

  it('shows an example with the help of a command', async () => {
    const { code, out } = await runyard(['usage', '--help'])
    expect(code).toBe(0)
    expect(out).toContain('Example: runyard usage --since 7d --by key,day\n')
  })

  it('prints nothing on stdout when `env` finds no running stack', async () => {
    const { code, out, err } = await runyard(['env', '--data', join(cwd, 'none')])
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toContain(`no Runyard runs on ${join(cwd, 'none')}`)
  })

  it('reports a wrong setting in one sentence, and `config` shows where each value comes from', async () => {
    await writeFile(join(cwd, 'runyard.yaml'), 'listen: { port: 9000 }\n')
    const { out } = await runyard(['config'], { RUNYARD_LOG_LEVEL: 'debug', REDIS_URL: 'redis://:secret@host:1' })
    expect(out).toMatch(/listen\.port +9000 +.*runyard\.yaml\n/)
    expect(out).toMatch(/log\.level +debug +RUNYARD_LOG_LEVEL\n/)
    expect(out).toMatch(/redis\.url +redis:\/\/:…@host:1 +REDIS_URL\n/)
    const settings: unknown = JSON.parse((await runyard(['config', '--json'], { REDIS_URL: 'redis://:secret@host:1' })).out)
    expect(settings).toContainEqual({ setting: 'redis.url', value: 'redis://:…@host:1', from: 'REDIS_URL', variable: 'RUNYARD_REDIS_URL' })
    expect((await runyard(['config', '--changed', '-o', 'name'], { RUNYARD_LOG_LEVEL: 'debug' })).out).toBe('listen.port\nlog.level\n')
    expect((await runyard(['config', 'get', 'listen.port'])).out).toBe('9000\n')
    expect((await runyard(['config', 'path'])).out).toBe(`${join(cwd, 'runyard.yaml')}\n`)
    expect(await runyard(['config', '--changed', '-o', 'name'], { RUNYARD_PRICES: 'x' })).toMatchObject({
      code: 0,
      out: 'listen.port\n',
      err: expect.stringMatching(/^RUNYARD_PRICES is no setting and does nothing; did you mean RUNYARD_PRICES_CURRENCY or .*\?\n$/u),
    })
    const wrong = await runyard(['config'], { RUNYARD_LOG_LEVEL: 'loud' })
    expect(wrong).toMatchObject({ code: 1, out: '' })
    expect(wrong.err).toContain('RUNYARD_LOG_LEVEL is wrong')
  })

  it('sets a setting in the file, comments stay, and a wrong value never gets there', async () => {
    const file = join(cwd, 'runyard.yaml')
    await writeFile(file, '# mine\nlisten:\n  port: 9000 # not 8080\n')
    expect((await runyard(['config', 'set', 'log.level', 'debug'])).out).toContain('log.level is debug in ')
    expect(await readFile(file, 'utf8')).toBe('# mine\nlisten:\n  port: 9000 # not 8080\nlog:\n  level: debug\n')
    expect(await runyard(['config', 'set', 'log.level', 'loud'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('log.level is wrong'),
    })
    expect(await runyard(['config', 'set', 'log.levle', 'info'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('did you mean "log.level"?'),
    })
    expect((await runyard(['config', 'get', 'log.level'])).out).toBe('debug\n')
  })
})
