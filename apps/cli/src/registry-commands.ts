// The commands for registry credentials, which pull private images.
import { data, json, WHICH, type Command } from './command.ts'

const username = { type: 'string', help: 'user of the registry; the password or token comes from standard input' } as const

export const REGISTRY_COMMANDS: readonly Command[] = [
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
]
