// What each lock file must hold: the packages that are asked for by name. Their own needs are found when the locks are refreshed.
import { FLASH } from '../../apps/cli/src/demo/flash-environment.ts'

/** By the file's path from the root. */
export const WANTED: Readonly<Record<string, readonly string[]>> = {
  // uv for quick installs; aiohttp and cloudpickle because stacked calls import them on the worker; the rest is what functions reach for first.
  'docker/requirements.lock': ['uv==0.13.9', 'aiohttp', 'cloudpickle', 'requests', 'httpx', 'pydantic', 'numpy'],
  'apps/cli/demo.lock': [FLASH],
  // The SDK without its command line, for sources that declare their functions with it (`ensure_sdk` in json_source.py).
  'apps/agent/runner/runyard_runner/sdk.lock': ['aiohttp', 'requests', 'tomli', 'tomlkit'],
}

/** Added to a lock without what it needs itself. */
export const ALONE: Readonly<Record<string, readonly string[]>> = { 'apps/agent/runner/runyard_runner/sdk.lock': ['runpod==2.0.0rc2'] }
