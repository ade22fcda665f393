// Contexts, and completion in the real shells: bash is everywhere; zsh and fish where they are installed.
import { execFile, spawnSync } from 'node:child_process'
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCommandLine } from './command-line.ts'
import { contextsFile, writeContexts } from './contexts.ts'
import { openFakeGateway, type FakeGateway } from './testing/fake-gateway.ts'
import { recorder } from './testing/recorder.ts'
import { SMALL_POOL } from './testing/small-pool.ts'

let gateway: FakeGateway
let home: string
let env: Record<string, string>
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'runyard-cli-'))
  gateway = await openFakeGateway({
    ...SMALL_POOL,
    '/v2/serverless': {
      endpoints: [...(SMALL_POOL['/v2/serverless'] as { endpoints: object[] }).endpoints, { id: 'x', name: '$(touch /tmp/no)' }],
    },
    '/v2/serverless/x/workers': { workers: [] },
    '/v2/x/health': SMALL_POOL['/v2/k2j4h5g6f7d8s9/health'],
  })
  env = { HOME: home, PATH: `${home}:${process.env['PATH']}`, NO_COLOR: '1' }
  await writeContexts(env, { current: 'lab', contexts: { lab: { url: gateway.url, key: 'rp_lab' }, home: { data: '/nowhere' } } })
  await writeFile(join(home, 'runyard'), `#!/bin/sh\nexec ${process.execPath} ${join(import.meta.dirname, 'main.ts')} "$@"\n`)
  await chmod(join(home, 'runyard'), 0o755)
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await rm(home, { recursive: true })
})

async function runyard(...words: readonly string[]) {
  const [out, err] = [recorder(), recorder()]
  const code = await runCommandLine(words, { env, cwd: home, out, err })
  return { code, out: out.text(), err: err.text() }
}

/** Not synchronous: the gateway answers in this process. */
async function shell(name: string, ...words: readonly string[]): Promise<string> {
  return (await promisify(execFile)(name, words, { env })).stdout
}

describe('contexts', () => {
  it('are listed, switched, and used by commands, which say which one', async () => {
    expect((await stat(contextsFile(env))).mode & 0o777).toBe(0o600)
    expect((await runyard('use')).out).toMatch(/^context +where\nlab \* +http:.*\nhome +\/nowhere\n$/u)
    expect((await runyard('workers', 'upscale')).out).toContain('throttled-1')
    expect((await runyard('status')).out).toContain('  context lab\n')
    expect(await runyard('use', 'hom')).toMatchObject({ code: 2, err: 'runyard: there is no context "hom"; did you mean "home"?\n' })
    expect((await runyard('use', 'home')).out).toBe('home is in use: /nowhere\n')
    expect((await runyard('status')).err).toContain('no Runyard runs on /nowhere')
    expect((await runyard('use', 'lab')).code).toBe(0)
  })
})

describe('completion', () => {
  const words = async (...line: readonly string[]): Promise<readonly string[]> =>
    (await runyard('__complete', ...line)).out.trim().split('\n')

  it('knows commands, their members, options, choices and names', async () => {
    expect(await words('st')).toEqual(['status'])
    expect(await words('endpoints', 'd')).toEqual(['delete'])
    expect(await words('jobs', '--s')).toEqual(['--status', '--since'])
    expect(await words('workers', '-o', 'js')).toEqual(['json', 'jsonl'])
    expect(await words('logs', 'ry-')).toEqual(['ry-9f8e7d6c5b4a3210-001', 'ry-9f8e7d6c5b4a3210-002'])
    expect(await words('cancel', '--endpoint', 'up')).toEqual(['upscale'])
    expect(await words('completion', '')).toEqual(['bash', 'zsh', 'fish'])
    // A name that a shell could take for more than a name is not offered.
    expect(await words('run', '')).toEqual(['live-caption-of-every-picture-in-the-archive', 'upscale'])
  })

  it('works in bash', async () => {
    const script = `source <(runyard completion bash); COMP_WORDS=(runyard run up); COMP_CWORD=2; _runyard; printf '%s\\n' "\${COMPREPLY[@]}"`
    expect(await shell('bash', '-c', script)).toBe('upscale\n')
  })

  const has = (name: string): boolean => spawnSync(name, ['--version']).status === 0

  /** A shell of its own on a terminal of its own, in which a tab is typed. */
  const IN_ZSH = `
    zmodload zsh/zpty
    zpty -b shell zsh -f -i
    zpty -w shell 'autoload -Uz compinit; compinit -u -D; source <(runyard completion zsh); echo so""urced'
    zpty -r -m shell said '*sourced*'
    zpty -w -n shell $'runyard run up\\t'
    zpty -r -m shell said '*upscale*'
    zpty -d shell
    print found
  `

  it.runIf(has('zsh'))('completes what is typed in zsh', async () => {
    expect(await shell('zsh', '-f', '-c', IN_ZSH)).toBe('found\n')
  })

  it.runIf(has('fish'))('completes what is typed in fish', async () => {
    const script = 'runyard completion fish | source; complete -C "runyard run up"'
    expect(await shell('fish', '--no-config', '-c', script)).toBe('upscale\n')
  })
})
