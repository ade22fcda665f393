// The commands for endpoints, workers, jobs and logs. All of them call the public API of the running stack.
import { data, json, WHICH, type Command } from './command.ts'

const WRITABLE = {
  image: { type: 'string', help: 'container image whose own handler runs, or runpod/flash…, runpod/queue… for ours' },
  command: { type: 'string', help: 'replaces the command of the image, e.g. "python -u /handler.py"; or JSON with cmd and entrypoint' },
  env: { type: 'string', multiple: true, help: 'environment variable as NAME=VALUE; may be repeated' },
  registry: { type: 'string', help: 'credentials for a private image, by name or id (`runyard registries`); `none` for none' },
  disk: { type: 'string', help: 'container disk in GB' },
  gpu: { type: 'string', help: 'pools or types, best first: ADA_24,AMPERE_24 or "NVIDIA L4"; `any` for every card' },
  'gpu-count': { type: 'string', help: 'cards of one worker (default: 1)' },
  cpu: { type: 'string', help: 'a CPU worker instead: FLAVOR-VCPUS-GB, e.g. cpu3g-2-8' },
  workers: { type: 'string', help: 'MIN..MAX, or MAX alone (default: 0..3)' },
  'idle-timeout': { type: 'string', help: 'seconds that a worker stays warm without a job (default: 10)' },
  'queue-delay': { type: 'string', help: 'add a worker when a job has waited this many seconds (default: 4)' },
  'jobs-per-worker': { type: 'string', help: 'scale by jobs instead: a worker for so many of them' },
  priority: { type: 'string', help: 'weight of 1 to 100 where endpoints share GPUs (default: 1)' },
  timeout: { type: 'string', help: 'most seconds of one job (default: 0, none)' },
} as const

const WRITE_USAGE = '[--gpu TYPE | --cpu SIZE] [--workers MIN..MAX] [--env NAME=VALUE]... [OPTIONS]'

export const POOL_COMMANDS: readonly Command[] = [
  {
    name: 'endpoints create',
    summary: 'make an endpoint of an existing image',
    usage: `runyard endpoints create --name NAME --image IMAGE ${WRITE_USAGE}`,
    example: 'runyard endpoints create --name sd --image you/sd:1 --gpu ADA_24,AMPERE_24 --workers 0..2 --env STEPS=20',
    options: { name: { type: 'string', help: 'name of the endpoint' }, ...WRITABLE, json, data },
    load: async () => ({ run: (await import('./commands/endpoints/write.ts')).create }),
  },
  {
    name: 'endpoints list',
    summary: 'all endpoints, with image, hardware and workers',
    usage: 'runyard endpoints list [--json] [--data DIR]',
    options: { json, data },
    load: async () => ({ run: (await import('./commands/endpoints/read.ts')).list }),
  },
  {
    name: 'endpoints show',
    summary: 'one endpoint, with its queue and how to call it',
    usage: `runyard endpoints show ${WHICH} [--json] [--data DIR]`,
    options: { json, data },
    takesWords: true,
    load: async () => ({ run: (await import('./commands/endpoints/read.ts')).show }),
  },
  {
    name: 'endpoints update',
    summary: 'change what is named and nothing else; a change of the container replaces the workers',
    usage: `runyard endpoints update ${WHICH} ${WRITE_USAGE}`,
    example: 'runyard endpoints update sd --image you/sd:2 --workers 1..4',
    options: {
      name: { type: 'string', help: 'another name' },
      ...WRITABLE,
      'unset-env': { type: 'string', multiple: true, help: 'drop an environment variable; may be repeated' },
      json,
      data,
    },
    takesWords: true,
    load: async () => ({ run: (await import('./commands/endpoints/write.ts')).update }),
  },
  {
    name: 'endpoints retry',
    summary: 'try to start workers now after failed starts; replace workers whose image was rebuilt',
    usage: `runyard endpoints retry ${WHICH} [--data DIR]`,
    options: { data },
    takesWords: true,
    load: async () => ({ run: (await import('./commands/endpoints/write.ts')).retry }),
  },
  {
    name: 'endpoints delete',
    summary: 'delete an endpoint: its jobs are cancelled, its workers go',
    usage: `runyard endpoints delete ${WHICH} [--data DIR]`,
    options: { data },
    takesWords: true,
    load: async () => ({ run: (await import('./commands/endpoints/write.ts')).remove }),
  },
  {
    name: 'workers',
    summary: 'workers of one endpoint, or of all',
    usage: `runyard workers [${WHICH}] [--json] [--data DIR]`,
    options: { json, data },
    takesWords: true,
    load: () => import('./commands/workers.ts'),
  },
  {
    name: 'jobs',
    summary: 'latest jobs of an endpoint: waiting, running, ended',
    usage: `runyard jobs ${WHICH} [--limit N] [--json] [--data DIR]`,
    example: 'runyard jobs sd --limit 100',
    options: { limit: { type: 'string', help: 'how many, at most 200 (default: 20)' }, json, data },
    takesWords: true,
    load: () => import('./commands/jobs.ts'),
  },
  {
    name: 'logs',
    summary: 'what a worker printed, or all workers of an endpoint',
    usage: `runyard logs WORKER|${WHICH} [--raw] [--json] [--data DIR]`,
    example: 'runyard logs sd',
    options: { raw: { type: 'boolean', help: 'as it was printed: control characters act on your terminal' }, json, data },
    takesWords: true,
    load: () => import('./commands/logs.ts'),
  },
]
