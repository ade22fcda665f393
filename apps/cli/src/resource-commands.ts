// The commands for what endpoints refer to: credentials of registries, secrets, and the volumes that clients create.
import { data, json, WHICH, type Command } from './command.ts'

const username = { type: 'string', help: 'user of the registry; the password or token comes from standard input' } as const
const yes = { type: 'boolean', short: 'y', help: 'without a question' } as const

export const RESOURCE_COMMANDS: readonly Command[] = [
  {
    name: 'registries add',
    summary: 'keep a user and a password under a name, for endpoints with private images',
    usage: 'runyard registries add NAME --username USER < PASSWORD-FILE',
    example: 'runyard registries add hub --username you < ./token',
    options: { username, json, data },
    takesWords: true,
    load: async () => ({ run: (await import('./commands/registries.ts')).add }),
  },
  {
    name: 'registries list',
    isList: true,
    summary: 'names and ids; passwords are never shown',
    usage: 'runyard registries list [--json] [--data DIR]',
    options: { json, data },
    load: async () => ({ run: (await import('./commands/registries.ts')).list }),
  },
  {
    name: 'registries update',
    summary: 'another password under the same name; what could not pull tries again at once',
    usage: `runyard registries update ${WHICH} --username USER < PASSWORD-FILE`,
    options: { username, json, data },
    takesWords: true,
    load: async () => ({ run: (await import('./commands/registries.ts')).update }),
  },
  {
    name: 'registries delete',
    summary: 'forget credentials that no endpoint uses',
    usage: `runyard registries delete ${WHICH} [--data DIR]`,
    options: { data },
    takesWords: true,
    load: async () => ({ run: (await import('./commands/registries.ts')).remove }),
  },
  {
    name: 'secrets list',
    isList: true,
    summary: 'names and descriptions; values are never shown',
    usage: 'runyard secrets list [--json] [--data DIR]',
    options: { json, data },
    load: async () => ({ run: (await import('./commands/secrets.ts')).list }),
  },
  {
    name: 'secrets set',
    summary: 'keep a value under a name; variables name it as {{ RUNPOD_SECRET_name }}',
    usage: 'runyard secrets set NAME [--description TEXT] < VALUE-FILE',
    example: 'runyard secrets set hf_token < ./token',
    options: { description: { type: 'string', help: 'what it is for; shown in lists' }, json, data },
    takesWords: true,
    load: async () => ({ run: (await import('./commands/secrets.ts')).set }),
  },
  {
    name: 'secrets delete',
    summary: 'forget a secret; workers that name it start no more',
    usage: 'runyard secrets delete NAME [--data DIR]',
    options: { data },
    takesWords: true,
    load: async () => ({ run: (await import('./commands/secrets.ts')).remove }),
  },
  {
    name: 'volumes list',
    isList: true,
    summary: 'names, sizes, and the host that has the data',
    usage: 'runyard volumes list [--json] [--data DIR]',
    options: { json, data },
    load: async () => ({ run: (await import('./commands/volumes.ts')).list }),
  },
  {
    name: 'volumes show',
    summary: 'one volume, and the endpoints that use it',
    usage: `runyard volumes show ${WHICH} [--json] [--data DIR]`,
    options: { json, data },
    takesWords: true,
    load: async () => ({ run: (await import('./commands/volumes.ts')).show }),
  },
  {
    name: 'volumes delete',
    summary: 'delete a volume that no endpoint uses, with its data',
    usage: `runyard volumes delete ${WHICH} [--yes] [--data DIR]`,
    options: { yes, data },
    takesWords: true,
    load: async () => ({ run: (await import('./commands/volumes.ts')).remove }),
  },
]
