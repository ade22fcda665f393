// The commands for hosts (ADR 53). The list of hosts is the configuration file; what the scaler sees and what an operator wants for a while is in Redis.
import { data, json, type Command } from './command.ts'

const WHICH_HOST = 'NAME|ID'
const reason = { type: 'string', help: 'shown wherever the host is refused (default: by the operator)' } as const

export const HOST_COMMANDS: readonly Command[] = [
  {
    name: 'hosts add',
    summary: 'examine and prepare a host, and add it to runyard.yaml; a running scaler takes it up',
    words: 'URL|process',
    flags: '[--name NAME] [OPTIONS]',
    example: 'runyard hosts add ssh://me@gpu-box --plane-url http://192.168.1.5:8081 --label room=cellar',
    options: {
      name: { type: 'string', help: 'name of the host (default: the other machine’s name, or local)' },
      'plane-url': { type: 'string', help: 'where its workers reach the worker plane of this machine' },
      'forward-plane': { type: 'boolean', help: 'for ssh://: workers reach the worker plane through the ssh connection' },
      'tls-ca': { type: 'string', help: 'for tcp://: PEM file of the CA of the engine’s certificate' },
      'tls-cert': { type: 'string', help: 'for tcp://: PEM file of our certificate' },
      'tls-key': { type: 'string', help: 'for tcp://: PEM file of its key' },
      label: { type: 'string', multiple: true, help: 'NAME=TEXT; may be repeated' },
      workers: { type: 'string', help: 'most workers at once' },
      'reserve-gpus': { type: 'string', help: 'GPUs that no worker gets: a number, or UUIDs with commas' },
      'simulated-gpus': { type: 'string', help: 'simulated GPUs, e.g. "NVIDIA L4:2"' },
      force: { type: 'boolean', help: 'add it although something is missing' },
      json,
      data,
    },
    load: async () => ({ run: (await import('./commands/hosts/add.ts')).add }),
  },
  {
    name: 'hosts list',
    isList: true,
    summary: 'all hosts: state, GPUs, workers',
    options: { json, data },
    load: async () => ({ run: (await import('./commands/hosts/read.ts')).list }),
  },
  {
    name: 'hosts show',
    summary: 'one host: what it has, which worker holds which GPU, why it gets no workers',
    words: WHICH_HOST,
    options: { json, data },
    load: async () => ({ run: (await import('./commands/hosts/read.ts')).show }),
  },
  {
    name: 'hosts cordon',
    summary: 'no new workers on the host; those that are there stay',
    words: WHICH_HOST,
    flags: '[--reason TEXT] [--data DIR]',
    example: 'runyard hosts cordon gpu-box --reason "a fan fails"',
    options: { reason, data },
    load: async () => ({ run: (await import('./commands/hosts/restrain.ts')).cordon }),
  },
  {
    name: 'hosts drain',
    summary: 'no new workers, idle ones go, busy ones finish their jobs and go',
    words: WHICH_HOST,
    flags: '[--reason TEXT] [--wait] [--data DIR]',
    example: 'runyard hosts drain gpu-box --reason "new card" --wait',
    options: { reason, wait: { type: 'boolean', help: 'return when no worker is left' }, data },
    load: async () => ({ run: (await import('./commands/hosts/restrain.ts')).drain }),
  },
  {
    name: 'hosts uncordon',
    summary: 'the host gets workers again',
    words: WHICH_HOST,
    options: { data },
    load: async () => ({ run: (await import('./commands/hosts/restrain.ts')).uncordon }),
  },
  {
    name: 'hosts release',
    summary: 'end the quarantine of a GPU',
    words: `${WHICH_HOST} GPU`,
    example: 'runyard hosts release gpu-box GPU-2b1f6b9e',
    options: { data },
    load: async () => ({ run: (await import('./commands/hosts/restrain.ts')).release }),
  },
  {
    name: 'hosts remove',
    summary: 'take a host without workers out of runyard.yaml',
    words: WHICH_HOST,
    flags: '[--force] [--data DIR]',
    options: { force: { type: 'boolean', help: 'also end the workers that run there; their jobs run elsewhere' }, data },
    load: async () => ({ run: (await import('./commands/hosts/remove.ts')).remove }),
  },
]
