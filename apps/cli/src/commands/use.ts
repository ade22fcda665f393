// `runyard use`: lists the contexts, adds one, or switches to one.
import { resolve } from 'node:path'
import { textOption, UsageError, type CommandContext } from '../command.ts'
import { readContexts, writeContexts, type Contexts, type NamedContext } from '../contexts.ts'
import { printListing } from '../output/listing.ts'
import { readSecret } from '../read-secret.ts'
import { closestName } from '../suggest.ts'

export async function run(context: CommandContext): Promise<number> {
  const { env, options, positionals, out } = context
  const [name, ...more] = positionals
  const known = await readContexts(env)
  if (more.length > 0) throw new UsageError(`name one context; ${positionals.length} were given.`)
  if (options['none'] === true) return switchTo(context, known, undefined)
  if (name === undefined) return list(context, known)
  if (options['remove'] === true) {
    const { [name]: removed, ...contexts } = known.contexts
    if (removed === undefined) throw unknown(name, known)
    await writeContexts(env, { contexts, ...(known.current !== undefined && known.current !== name && { current: known.current }) })
    out.line(`${name} is removed`)
    return 0
  }
  const added = await readAdded(context)
  if (added !== undefined) return switchTo(context, { ...known, contexts: { ...known.contexts, [name]: added } }, name)
  if (known.contexts[name] === undefined) throw unknown(name, known)
  return switchTo(context, known, name)
}

async function switchTo({ env, out }: CommandContext, known: Contexts, name: string | undefined): Promise<number> {
  await writeContexts(env, { contexts: known.contexts, ...(name !== undefined && { current: name }) })
  out.line(name === undefined ? 'no context is in use' : `${name} is in use: ${whereOf(known.contexts[name])}`)
  return 0
}

async function readAdded(context: CommandContext): Promise<NamedContext | undefined> {
  const [url, data] = [textOption(context, 'url'), textOption(context, 'data')]
  if (url !== undefined && data !== undefined) throw new UsageError('--url and --data exclude each other.')
  if (data !== undefined) return { data: resolve(context.cwd, data) }
  if (url === undefined) return undefined
  if (!URL.canParse(url)) throw new UsageError(`--url takes the address of a gateway such as https://gpu.example.com; "${url}" is none.`)
  const key = await readSecret('API key: ')
  if (key === '') throw new UsageError('no API key came from standard input; pipe it in, or type it when asked.')
  return { url: url.replace(/\/+$/u, ''), key }
}

function list(context: CommandContext, { current, contexts }: Contexts): number {
  const rows = Object.entries(contexts).map(([name, each]) => ({ name, where: whereOf(each), isCurrent: name === current }))
  return printListing(context, {
    rows,
    columns: [
      { title: 'context', cell: ({ name, isCurrent }) => (isCurrent ? `${name} *` : name), cut: 'middle' },
      { title: 'where', cell: ({ where }) => where, cut: 'middle' },
    ],
    data: rows,
    empty: 'no contexts yet; `runyard use NAME --url URL` or `--data DIR` adds one',
  })
}

function whereOf(context: NamedContext | undefined): string {
  if (context === undefined) return '–'
  return 'url' in context ? context.url : context.data
}

function unknown(name: string, { contexts }: Contexts): UsageError {
  const near = closestName(name, Object.keys(contexts))
  return new UsageError(`there is no context "${name}"; ${near === undefined ? '`runyard use` lists them' : `did you mean "${near}"?`}`)
}
