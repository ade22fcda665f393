// A host under test, as the conformance suite of the host port needs it (`host-conformance.ts`).
import type { HostCapabilities, HostDriver, WorkerLaunch } from '@runyard/schema'

export interface HostFixture extends AsyncDisposable {
  /** A driver of this installation; each call creates a new one, as a restarted scaler would. */
  createDriver(): HostDriver
  /** A driver of another installation on the same host. */
  createStranger(): HostDriver
  /** Makes the launch run `sh -c script`. */
  launch(base: WorkerLaunch, script: string): WorkerLaunch
  /** Sends SIGKILL from outside, as the kernel or an admin would. */
  kill(workerId: string): Promise<void>
  /** What the host still has of these workers: containers, directories, processes. */
  leftovers(): Promise<readonly string[]>
}

export interface HostAbilities {
  /** The driver's own capabilities, which the suite verifies. */
  readonly capabilities: HostCapabilities
  /** Attaches GPUs that do not exist, like the process host, or an engine with a stand-in for NVIDIA's hook. */
  readonly gpus: boolean
}
