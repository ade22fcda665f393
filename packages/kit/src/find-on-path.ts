// Where a program lies, as a shell would find it.
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'

export async function findOnPath(name: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  for (const directory of (env['PATH'] ?? '').split(delimiter).filter((entry) => entry !== '')) {
    const path = join(directory, name)
    const usable = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (usable) return path
  }
  return undefined
}
