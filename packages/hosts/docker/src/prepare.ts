// What an engine needs before workers start on it: the default image, the agent's volume, the workers' network, and an address of this machine
// that containers reach. Each is looked up once per driver and made where it is missing; after a failure the next caller tries again.
import { existsSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { isWildcardAddress, planeUrlOf, type PlaneSettings } from '@runyard/core'
import { sentenceOf } from '@runyard/kit'
import { RunyardError, type HostFinding, type Prepared, type PrepareOptions } from '@runyard/schema'
import type Docker from 'dockerode'
import { ensureAgentVolume } from './agent-volume.ts'
import { planeHosts } from './container-spec.ts'
import { isLocal, onEngine, type Engine } from './engine.ts'
import { WORKER_IMAGE } from './images.ts'
import { probeEngine } from './installs.ts'
import type { Environment } from './package-settings.ts'
import { provePlane } from './probe-container.ts'
import { ensureWorkerImage, type WorkerImage } from './worker-image.ts'
import { LEFT_AFTER_MS, removeLeftProbes } from './remove-container.ts'
import { blockMetadata, ensureWorkerNetwork } from './worker-network.ts'

/** What of this release goes to hosts. */
export interface Release {
  readonly version: string
  /** Holds agent.mjs and runner/. */
  readonly agentDirectory: string
  /** Path of docker/worker.Dockerfile; where there is none, the default image has to be on the host, or in a registry. */
  readonly workerDockerfile: string
}

export interface PreparerOptions {
  /** Undefined: workers are images with their own handler only. */
  readonly release?: Release | undefined
  /** Default: this machine as containers see it, at the default port. */
  readonly plane?: PlaneSettings
  /** Workers reach the worker plane over the ssh connection. */
  readonly forwardPlane?: boolean | undefined
  /** What the default image is built on. */
  readonly baseImage?: string | undefined
  readonly env?: Environment | undefined
}

const LOOPBACK = '127.0.0.1'
const DEFAULT_PLANE: PlaneSettings = { host: '0.0.0.0', port: 8081 }

export type Preparer = ReturnType<typeof createPreparer>

export function createPreparer(engine: Engine, options: PreparerOptions) {
  const { plane = DEFAULT_PLANE, release } = options
  /** The network of the workers: its address at which they reach the engine's machine. `forget`: it is gone, the next caller makes it. */
  const network = once(() => onEngine(engine, "create the workers' network", ensureWorkerNetwork))
  /** The volume with the agent, filled. `forget`: it may be gone, the next caller fills it. */
  const agentVolume = once(async () => {
    if (release === undefined) throw new RunyardError('internal', 'This host was not given an agent.')
    return ensureAgentVolume({ engine, version: release.version, directory: release.agentDirectory })
  })
  const way = createWay(engine, { plane, network, isForwarded: options.forwardPlane === true })
  return {
    agentVolume,
    network,
    planeUrl: way.planeUrl,
    /** Names of the worker plane for /etc/hosts of workers; none where the plane has no address, or it is not known. */
    extraHosts: (): Promise<readonly string[]> => way.planeUrl().then(planeHosts, () => []),
    async provePlane(): Promise<HostFinding> {
      try {
        await network()
        return await provePlane(engine, { image: WORKER_IMAGE, agentVolume: await agentVolume(), planeUrl: await way.planeUrl() })
      } catch (error) {
        return { subject: 'worker plane', verdict: 'missing', words: sentenceOf(error) }
      }
    },
    async prepare(how: PrepareOptions): Promise<Prepared> {
      const probe = await probeEngine(engine)
      if (probe.kind === 'failed') throw new RunyardError('bad_request', probe.message)
      await way.check()
      await onEngine(engine, 'tidy up', tidyUp)
      const image = await provideImage(engine, options, how)
      how.onProgress('preparing the agent')
      if (release !== undefined) await agentVolume()
      const address = await way.address()
      const words = `containers on Docker ${probe.version}${image === undefined ? '' : `, image ${image.image}${image.built ? ' (just built)' : ''}`}`
      return {
        words: `${words}${await protectMetadata(engine, image?.image)}`,
        planeAddress: address,
      }
    },
  }
}

/** Again later: what a killed process left just now looks like what another process is still using. */
async function tidyUp(docker: Docker): Promise<void> {
  await removeLeftProbes(docker)
  setTimeout(() => void removeLeftProbes(docker).catch(() => undefined), LEFT_AFTER_MS + 1000).unref()
}

interface Way {
  readonly planeUrl: () => Promise<string>
  /** This machine's address for workers of the host; undefined: the operator has to configure it. */
  readonly address: () => Promise<string | undefined>
  /** @throws RunyardError if workers would be given an address that does not lead here. */
  readonly check: () => Promise<void>
}

interface WayOptions {
  readonly plane: PlaneSettings
  readonly network: () => Promise<string | undefined>
  readonly isForwarded: boolean
}

/** From the workers of the host to the worker plane of this machine. */
function createWay(engine: Engine, { plane, network, isForwarded }: WayOptions): Way {
  /** The host's end is its own address on the workers' network. */
  const forward = async (): Promise<string> => {
    const address = await network()
    if (address === undefined || engine.tunnel === undefined)
      throw new RunyardError('bad_request', 'forwardPlane needs an engine that ssh reaches.')
    const here = isWildcardAddress(plane.host) ? LOOPBACK : plane.host
    await engine.tunnel.forward({ from: `${address}:${plane.port}`, to: `${here}:${plane.port}` })
    return planeUrlOf({ host: address, port: plane.port }, address)
  }
  if (isForwarded) return { planeUrl: forward, address: async () => LOOPBACK, check: async () => void (await forward()) }
  // The network of another machine has no address of this one.
  const address = async (): Promise<string | undefined> => {
    const own = await network()
    return isLocal(engine) ? own : ownAddressIn(plane.url)
  }
  return {
    address,
    check: async () => refuseUnreachablePlane(engine, plane),
    async planeUrl() {
      if (plane.url !== undefined || !isWildcardAddress(plane.host)) return planeUrlOf(plane, plane.host)
      const own = await address()
      if (own !== undefined) return planeUrlOf(plane, own)
      throw new RunyardError('bad_request', "The workers' network of Docker has no address: set workerPlane.url to what containers reach.")
    },
  }
}

/** What the URL names, if it is an address of this machine. */
function ownAddressIn(url: string | undefined): string | undefined {
  const name = url === undefined ? undefined : new URL(url).hostname
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  return own.find(({ address }) => address === name)?.address
}

/** @throws RunyardError where workers on another machine would be given an address that means their own. */
function refuseUnreachablePlane(engine: Engine, { url, host }: PlaneSettings): void {
  if (url !== undefined || isLocal(engine)) return
  if (!isWildcardAddress(host) && !host.startsWith('127.') && host !== 'localhost' && host !== '::1') return
  const mend = `set planeUrl of this host, or workerPlane.url, to an address of this machine that ${engine.name} reaches, as "hosts add … --plane-url http://192.168.1.5:8081" does`
  throw new RunyardError('bad_request', `Workers on ${engine.name} cannot reach the worker plane at ${host}: ${mend}.`)
}

/** Undefined where it is not ours to make. */
async function provideImage(engine: Engine, options: PreparerOptions, how: PrepareOptions): Promise<WorkerImage | undefined> {
  const { release, baseImage, env } = options
  if (release === undefined || !existsSync(release.workerDockerfile)) return undefined
  return ensureWorkerImage({ engine, dockerfile: release.workerDockerfile, base: baseImage, env, ...how })
}

/** In words, where workers can reach it all the same. */
async function protectMetadata(engine: Engine, image: string | undefined): Promise<string> {
  if (image === undefined) return ''
  const block = await blockMetadata(engine.docker(), { image, mode: 'add' })
  return block.kind === 'blocked' ? '' : `; workers can reach a cloud's metadata service: ${block.reason}`
}

interface Remembered<T> {
  (): Promise<T>
  forget(): void
}

/** Asks once, and again after a failure or when it is forgotten. */
function once<T>(ask: () => Promise<T>): Remembered<T> {
  let asked: Promise<T> | undefined
  const remembered = (): Promise<T> => {
    asked ??= ask().catch((error: unknown) => {
      asked = undefined
      throw error
    })
    return asked
  }
  return Object.assign(remembered, { forget: () => void (asked = undefined) })
}
