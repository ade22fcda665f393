// The commands for volumes, which clients create.
import { data, json, WHICH, type Command } from './command.ts'

const yes = { type: 'boolean', short: 'y', help: 'without a question' } as const

export const VOLUME_COMMANDS: readonly Command[] = [
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
