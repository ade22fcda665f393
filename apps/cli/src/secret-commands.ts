// The commands for secrets, which environment variables of endpoints name.
import { data, json, type Command } from './command.ts'

export const SECRET_COMMANDS: readonly Command[] = [
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
]
