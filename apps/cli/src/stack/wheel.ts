// Fetches a pinned wheel with `fetch-wheel.py`, which contains the pins. An existing wheel is kept.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { RunyardError } from '@runyard/schema'
import { CLI_ROOT } from '../locations.ts'
import { findOnPath } from '@runyard/kit'

/** @throws RunyardError with one sentence. */
export async function fetchWheel(options: {
  name: string
  directory: string
  env: NodeJS.ProcessEnv
  say: (line: string) => void
}): Promise<void> {
  if (existsSync(options.directory)) return
  const python = (await findOnPath('python3', options.env)) ?? (await findOnPath('python', options.env))
  if (python === undefined) {
    throw new RunyardError('bad_request', `Python is needed to fetch ${options.name} and was not found (Debian: apt-get install python3).`)
  }
  options.say(`fetching ${options.name}`)
  await new Promise<void>((resolve, reject) => {
    execFile(
      python,
      [join(CLI_ROOT, 'fetch-wheel.py'), options.name, options.directory],
      { env: options.env },
      (error, _stdout, stderr) => {
        if (error === null) resolve()
        else reject(new RunyardError('bad_request', stderr.trim().split('\n').at(-1) || error.message))
      },
    )
  })
}
