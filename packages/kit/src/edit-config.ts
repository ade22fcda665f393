// Edits hosts and settings in `runyard.yaml` and leaves the rest of the file, comments included, as it is. The file is replaced whole, so that a reader never sees
// half of it.
import { chmod, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { systemCode, RunyardError } from '@runyard/schema'
import { isSeq, parseDocument, type Document } from 'yaml'
import { notYaml } from './config.ts'

/** A file that does not exist is created. @throws RunyardError if it is no valid file of settings. */
export async function addHosts(path: string, hosts: readonly object[]): Promise<void> {
  await edit(path, (document) => {
    for (const host of hosts) {
      const list = document.get('hosts')
      if (isSeq(list) && list.items.length > 0) list.add(document.createNode(host))
      else document.set('hosts', document.createNode([host]))
    }
  })
}

/** `index`: its place in the list. */
export async function removeHost(path: string, index: number): Promise<void> {
  await edit(path, (document) => document.deleteIn(['hosts', index]))
}

/** Undefined removes the setting. */
export async function setInConfig(path: string, keys: readonly string[], value: unknown): Promise<void> {
  await edit(path, (document) => (value === undefined ? document.deleteIn(keys) : document.setIn(keys, value)))
}

async function edit(path: string, change: (document: Document) => void): Promise<void> {
  const mode = await stat(path).then(
    (found) => found.mode & 0o777,
    () => 0o644,
  )
  const document = parseDocument(await readOrEmpty(path))
  const [error] = document.errors
  if (error !== undefined) throw notYaml(path, error)
  change(document)
  await writeFile(`${path}.new`, document.toString({ lineWidth: 0 }))
  await chmod(`${path}.new`, mode)
  await rename(`${path}.new`, path)
}

async function readOrEmpty(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return ''
    throw new RunyardError('bad_request', `The configuration file ${path} cannot be read.`, { cause: error })
  }
}
