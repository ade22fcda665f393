// The command of an image that brings its own HTTP server (ADR 77). Our agent is the container's entrypoint there, so it must know what it replaced.
import { RunyardError, type WorkerLaunch } from '@runyard/schema'
import type Docker from 'dockerode'
import { findImage } from './images.ts'

interface Command {
  readonly entrypoint: readonly string[]
  readonly args: readonly string[]
}

/** As Docker puts them together: another ENTRYPOINT also replaces the image's CMD. */
export function mergeCommand(own: Command, given: Command): readonly string[] {
  if (given.entrypoint.length > 0) return [...given.entrypoint, ...given.args]
  return [...own.entrypoint, ...(given.args.length > 0 ? given.args : own.args)]
}

/** Adds RUNYARD_COMMAND, which the agent starts. @throws RunyardError('unprocessable') if the image has no command. */
export async function withImageCommand(docker: Docker, launch: WorkerLaunch): Promise<WorkerLaunch> {
  if (launch.servesImage !== true) return launch
  const config = (await findImage(docker, launch.image))?.Config
  const command = mergeCommand({ entrypoint: toWords(config?.Entrypoint), args: toWords(config?.Cmd) }, launch)
  if (command.length > 0) return { ...launch, env: { ...launch.env, RUNYARD_COMMAND: JSON.stringify(command) } }
  const sentence = `The image ${launch.image} has neither ENTRYPOINT nor CMD, so nothing starts its server: name the command in the endpoint (dockerArgs, args).`
  throw new RunyardError('unprocessable', sentence, { fault: 'request' })
}

function toWords(value: string | readonly string[] | null | undefined): readonly string[] {
  return typeof value === 'string' ? [value] : (value ?? [])
}
