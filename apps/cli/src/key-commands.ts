// The commands for API keys (ADR 38, ADR 81).
import { data, json, type Command } from './command.ts'

const WHICH_KEY = 'NAME|ID'
const LIMIT_OPTIONS = {
  workers: { type: 'string', help: 'most workers of all endpoints that it creates, or none (default: limits.workersPerKey)' },
  queued: { type: 'string', help: 'most waiting and running jobs per endpoint, or none (default: limits.queuedJobsPerKey)' },
} as const

export const KEY_COMMANDS: readonly Command[] = [
  {
    name: 'key',
    section: 'Run',
    summary: 'print the API key of the data directory',
    example: 'RUNPOD_API_KEY=$(./runyard key)',
    options: { data },
    load: () => import('./commands/key.ts'),
  },
  {
    name: 'keys create',
    summary: 'make an API key; it is printed once and kept nowhere',
    flags: '--name NAME [--scope SCOPES] [--owner OWNER] [--expires SPAN|DATE] [--workers N] [--queued N] [--json] [--data DIR]',
    example: 'runyard keys create --name ci --scope run --expires 90d',
    options: {
      name: { type: 'string', help: 'what the key is for' },
      owner: { type: 'string', help: 'whose endpoints and jobs it sees; a new name is a new owner (default: that of your own key)' },
      scope: { type: 'string', help: 'admin, operate, run, view, metrics; several with commas (default: admin)' },
      expires: { type: 'string', help: 'a span (24h, 90d) or a date such as 2027-11-01 (default: never)' },
      ...LIMIT_OPTIONS,
      json,
      data,
    },
    load: async () => ({ run: (await import('./commands/keys.ts')).create }),
  },
  {
    name: 'keys list',
    isList: true,
    summary: 'keys with owner, name, scopes, made, last used, expires, limits; never the key itself',
    options: { json, data },
    load: async () => ({ run: (await import('./commands/keys.ts')).list }),
  },
  {
    name: 'keys limit',
    summary: 'how many workers and queued jobs a key may have, from now on and at every gateway',
    words: WHICH_KEY,
    flags: '[--workers N|none] [--queued N|none] [--json] [--data DIR]',
    example: 'runyard keys limit ci --workers 2 --queued 500',
    options: { ...LIMIT_OPTIONS, json, data },
    load: async () => ({ run: (await import('./commands/keys.ts')).limit }),
  },
  {
    name: 'keys revoke',
    summary: 'end a key at once, at every gateway and for good',
    words: WHICH_KEY,
    example: 'runyard keys revoke ci',
    options: { data },
    load: async () => ({ run: (await import('./commands/keys.ts')).revoke }),
  },
  {
    name: 'keys rotate',
    summary: 'another key in place of one; the old one ends at once. With the data directory’s own the key file is written, too',
    words: WHICH_KEY,
    example: 'runyard keys rotate ci',
    options: { json, data },
    load: async () => ({ run: (await import('./commands/keys.ts')).rotate }),
  },
]
