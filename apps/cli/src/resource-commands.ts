// The commands for what endpoints refer to: credentials of registries, secrets, and the volumes that clients create.
import { data, json, WHICH, type Command } from './command.ts'

const username = { type: 'string', help: 'user of the registry; the password or token comes from standard input' } as const
const yes = { type: 'boolean', short: 'y', help: 'without a question' } as const

export const RESOURCE_COMMANDS: readonly Command[] = [
  {
    name: 'registries add',
    summary: 'keep a user and a password under a name, for endpoints with private images',
    words: 'NAME',
    flags: '--username USER < PASSWORD-FILE',
    example: 'runyard registries add hub --username you < ./token',
    options: { username, json, data },
    load: async () => ({ run: (await import('./commands/registries.ts')).add }),
  },
  {
    name: 'registries list',
    isList: true,
    summary: 'names and ids; passwords are never shown',
    options: { json, data },
    load: async () => ({ run: (await import('./commands/registries.ts')).list }),
  },
  {
    name: 'registries update',
    summary: 'another password under the same name; what could not pull tries again at once',
    words: WHICH,
    flags: '--username USER < PASSWORD-FILE',
    options: { username, json, data },
    load: async () => ({ run: (await import('./commands/registries.ts')).update }),
  },
  {
    name: 'registries delete',
    summary: 'forget credentials that no endpoint uses',
    words: WHICH,
    options: { data },
    load: async () => ({ run: (await import('./commands/registries.ts')).remove }),
  },
  {
    name: 'secrets list',
    isList: true,
    summary: 'names and descriptions; values are never shown',
    options: { json, data },
    load: async () => ({ run: (await import('./commands/secrets.ts')).list }),
  },
  {
    name: 'secrets set',
    summary: 'keep a value under a name; variables name it as {{ RUNPOD_SECRET_name }}',
    words: 'NAME',
    flags: '[--description TEXT] < VALUE-FILE',
    example: 'runyard secrets set hf_token < ./token',
    options: { description: { type: 'string', help: 'what it is for; shown in lists' }, json, data },
    load: async () => ({ run: (await import('./commands/secrets.ts')).set }),
  },
  {
    name: 'secrets delete',
    summary: 'forget a secret; workers that name it start no more',
    words: 'NAME',
    options: { data },
    load: async () => ({ run: (await import('./commands/secrets.ts')).remove }),
  },
  {
    name: 'volumes list',
    isList: true,
    summary: 'names, sizes, and the host that has the data',
    options: { json, data },
    load: async () => ({ run: (await import('./commands/volumes.ts')).list }),
  },
  {
    name: 'volumes show',
    summary: 'one volume, and the endpoints that use it',
    words: WHICH,
    options: { json, data },
    load: async () => ({ run: (await import('./commands/volumes.ts')).show }),
  },
  {
    name: 'volumes delete',
    summary: 'delete a volume that no endpoint uses, with its data',
    words: WHICH,
    flags: '[--yes] [--data DIR]',
    options: { yes, data },
    load: async () => ({ run: (await import('./commands/volumes.ts')).remove }),
  },
]
