// The table of commands: names, help and options in one place.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { data, json, WHICH, type Command, type Section } from './command.ts'
import { HOST_COMMANDS } from './host-commands.ts'
import { KEY_COMMANDS } from './key-commands.ts'
import { ROOT } from './locations.ts'
import { POOL_COMMANDS } from './pool-commands.ts'
import { RESOURCE_COMMANDS } from './resource-commands.ts'
import { WEBHOOK_COMMANDS } from './webhook-commands.ts'

/** The first word of two-word commands → what the group does. */
export const GROUPS: Readonly<Record<string, { readonly section: Section; readonly summary: string }>> = {
  endpoints: { section: 'Use', summary: 'create, list, show, update, retry and delete endpoints' },
  job: { section: 'See', summary: 'show all that is known of one job' },
  hosts: { section: 'Keep', summary: 'the machines that workers run on: add, list, cordon, drain and remove them' },
  keys: { section: 'Keep', summary: 'API keys: make, list, revoke and rotate them' },
  notices: { section: 'See', summary: 'what needs a person now, and a test of the receivers' },
  registries: { section: 'Keep', summary: 'credentials for private images: add, list, update and delete them' },
  secrets: { section: 'Keep', summary: 'values that environment variables of endpoints name: set, list and delete them' },
  volumes: { section: 'Keep', summary: 'directories that outlive workers: list, show and delete them' },
  webhooks: { section: 'Keep', summary: 'the delivery log, the secret that signs, delivering one again' },
}

const EVERYWHERE: readonly Command[] = [
  {
    name: 'up',
    section: 'Run',
    summary: 'run the stack in the foreground',
    flags: '[--port N] [--data DIR]',
    example: 'runyard up --port 8888 --data ./state',
    options: { port: { type: 'string', help: 'port of the public listener (default: 8080)' }, data },
    load: () => import('./commands/up.ts'),
  },
  {
    name: 'demo',
    section: 'Run',
    summary: 'set everything up, run a real Flash script, show where the time went, leave nothing behind',
    options: {},
    load: () => import('./commands/demo.ts'),
  },
  {
    name: 'env',
    section: 'Run',
    summary: 'print export lines that point Runpod’s clients at the running stack, or at the gateway that is named',
    flags: '[--deployed] [--data DIR]',
    example: 'eval "$(./runyard env)"',
    options: { deployed: { type: 'boolean', help: 'for scripts that call deployed Flash apps, instead of scripts that run live' }, data },
    load: () => import('./commands/env.ts'),
  },
  {
    name: 'open',
    section: 'Run',
    summary: 'open the page (yard, jobs, gpus, usage, logs … or docs) in the browser and sign it in; print its address',
    words: '[PAGE]',
    example: 'runyard open jobs',
    options: { data },
    load: () => import('./commands/open.ts'),
  },
  {
    name: 'use',
    section: 'Keep',
    summary: 'contexts, for who has several stacks: list them, switch to one, or add one',
    words: '[NAME]',
    flags: '[--url URL < KEY-FILE | --data DIR | --remove] | --none [--json]',
    example: 'runyard use lab --url https://gpu.example.com < ./key',
    options: {
      url: { type: 'string', help: 'adds a gateway; its API key comes from standard input' },
      data: { type: 'string', help: 'adds a stack of this machine, by its data directory' },
      remove: { type: 'boolean', help: 'forgets it' },
      none: { type: 'boolean', help: 'no context: variables or the default directory again' },
      json,
    },
    load: () => import('./commands/use.ts'),
  },
  {
    name: 'completion',
    section: 'Keep',
    summary: 'the completion of words for bash, zsh or fish',
    words: 'bash|zsh|fish',
    example: 'source <(runyard completion bash)',
    options: {},
    load: () => import('./commands/completion.ts'),
  },
  {
    name: 'ca',
    section: 'Run',
    summary: 'the certificate of Runyard’s own CA, and the command that trusts it',
    options: { data },
    load: () => import('./commands/ca.ts'),
  },
  {
    name: 'status',
    isList: true,
    isLive: true,
    section: 'See',
    summary: 'what needs a person; endpoints, queues and workers',
    flags: '[--exit-code] [--watch] [--json] [--data DIR]',
    options: { 'exit-code': { type: 'boolean', help: 'exit with 3 if something needs a person' }, json, data },
    load: () => import('./commands/status.ts'),
  },
  {
    name: 'top',
    section: 'See',
    summary: 'cards, queues and workers on a full screen; ? shows its keys',
    options: { data },
    load: () => import('./commands/top.ts'),
  },
  {
    name: 'gpus',
    section: 'See',
    isList: true,
    isLive: true,
    summary: 'every card: state, holder, load, memory, power, temperature',
    words: '[HOST]',
    flags: '[--watch] [--json] [--data DIR]',
    options: { json, data },
    load: () => import('./commands/gpus.ts'),
  },
  {
    name: 'apps',
    isList: true,
    section: 'See',
    summary: 'deployed apps with their environments, active builds and endpoints',
    options: { json, data },
    load: () => import('./commands/apps.ts'),
  },
  {
    name: 'releases',
    isList: true,
    section: 'Use',
    summary: 'the releases of an endpoint, what each changed, and how far the latest is rolled out',
    words: WHICH,
    options: { json, data },
    load: async () => ({ run: (await import('./commands/releases.ts')).list }),
  },
  {
    name: 'rollback',
    section: 'Use',
    summary: 'save an earlier release of an endpoint again; without a number the one before the latest',
    words: `${WHICH} [RELEASE]`,
    options: { data },
    load: async () => ({ run: (await import('./commands/releases.ts')).rollBack }),
  },
  ...POOL_COMMANDS,
  ...HOST_COMMANDS,
  ...RESOURCE_COMMANDS,
  ...KEY_COMMANDS,
  {
    name: 'usage',
    isList: true,
    section: 'See',
    summary: 'what was used and what it cost, by endpoint, key, host, GPU, state, day',
    flags: '[--since SPAN|DATE] [--by WORDS] [--csv] [-o FORM] [--data DIR]',
    example: 'runyard usage --since 7d --by key,day',
    options: {
      since: { type: 'string', help: 'a span (90m, 24h, 7d) or a date such as 2026-11-01 (default: 30d)' },
      by: { type: 'string', help: 'endpoint, key, host, gpu, state, day; several with commas (default: endpoint,gpu,state)' },
      csv: { type: 'boolean', help: 'print a table for spreadsheets' },
      json,
      data,
    },
    load: () => import('./commands/usage.ts'),
  },
  ...WEBHOOK_COMMANDS,
  {
    name: 'config',
    isList: true,
    section: 'Keep',
    summary: 'effective settings and where each came from; one of them; or another value for one, in runyard.yaml',
    words: '[--changed] | get SETTING | set SETTING VALUE | path',
    example: 'runyard config set log.level debug',
    options: { changed: { type: 'boolean', help: 'only what is not the default' }, json, data },
    load: () => import('./commands/config.ts'),
  },
  {
    name: 'doctor',
    section: 'Keep',
    summary: 'what this machine has and lacks, and the command that mends each',
    options: { json, data },
    load: () => import('./commands/doctor.ts'),
  },
]

const TEST: Command = {
  name: 'test',
  section: 'Keep',
  summary: 'set up and run every test of this checkout',
  words: '[PATH...]',
  flags: '[-t NAME]',
  example: 'runyard test test/process/webhooks.test.ts -t retried',
  options: { name: { type: 'string', short: 't', help: 'only tests whose title has this in it' } },
  load: () => import('./commands/test.ts'),
}

/** An installation without the tests cannot run them. */
export function commandsIn(root: string): readonly Command[] {
  return existsSync(join(root, 'test')) ? [...EVERYWHERE, TEST] : EVERYWHERE
}

export const COMMANDS = commandsIn(ROOT)
