// Finds the Python that runs the function: RUNYARD_PYTHON, else python3, else python on the PATH.
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

export const NO_PYTHON = 'this worker’s image has no Python: neither python3 nor python is on its PATH, and RUNYARD_PYTHON is not set'

export function findPython(configured: string | undefined, path: string): string | undefined {
  if (configured !== undefined) return configured
  const directories = path.split(delimiter).filter((directory) => directory !== '')
  for (const name of ['python3', 'python']) {
    const found = directories.map((directory) => join(directory, name)).find((file) => isExecutable(file))
    if (found !== undefined) return found
  }
  return undefined
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
