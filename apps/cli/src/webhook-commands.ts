// The commands for webhooks and for notices, which go the same way.
import { data, json, WHICH, type Command } from './command.ts'

export const WEBHOOK_COMMANDS: readonly Command[] = [
  {
    name: 'notices list',
    isList: true,
    summary: 'what needs a person now: hosts, cards, endpoints, Redis, certificates',
    options: { json, data },
    load: async () => ({ run: (await import('./commands/notices.ts')).list }),
  },
  {
    name: 'notices test',
    summary: 'send a test to each receiver of the setting notify, and say what it answered',
    options: { json, data },
    load: async () => ({ run: (await import('./commands/notices.ts')).test }),
  },
  {
    name: 'webhooks log',
    isList: true,
    summary: 'the last attempts, of all endpoints or of some: when, where to, what came of it',
    words: `[${WHICH}]...`,
    options: { json, data },
    load: async () => ({ run: (await import('./commands/webhooks.ts')).log }),
  },
  {
    name: 'webhooks secret',
    summary: 'the secret that your webhooks are signed with',
    options: { data },
    load: async () => ({ run: (await import('./commands/webhooks.ts')).secret }),
  },
  {
    name: 'webhooks rotate',
    summary: 'make a new secret; the old one signs, too, until the next rotation',
    options: { data },
    load: async () => ({ run: (await import('./commands/webhooks.ts')).rotate }),
  },
  {
    name: 'webhooks redeliver',
    summary: 'deliver one again now that waits or was given up',
    words: `${WHICH} EVENT`,
    example: 'runyard webhooks redeliver sd evt_9f2c-u1_1',
    options: { data },
    load: async () => ({ run: (await import('./commands/webhooks.ts')).redeliver }),
  },
]
