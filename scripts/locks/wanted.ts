// The packages that each lock file must contain. Their dependencies are resolved when the locks are refreshed.
import { FLASH } from '../../apps/cli/src/demo/flash-environment.ts'

/** What Flash's code in a build imports; a build has it only if its requirements.txt names runpod-flash (flash-api §7.1). */
const FLASH_IMPORTS = ['runpod==1.12.0', 'aiohttp', 'httpx', 'requests', 'pydantic', 'cloudpickle', 'python-dotenv', 'rich']

/** Lock file, relative to the repository → packages. */
export const WANTED: Readonly<Record<string, readonly string[]>> = {
  // uv for fast installs; aiohttp and cloudpickle because stacked calls import them on the worker; the rest is what functions commonly use.
  'docker/requirements.lock': ['uv==0.13.9', 'aiohttp', 'cloudpickle', 'requests', 'httpx', 'pydantic', 'numpy'],
  'apps/cli/demo.lock': [FLASH],
  // The SDK without its command line, for sources that declare their functions with the SDK (`ensure_sdk` in json_source.py).
  'apps/agent/runner/runyard_runner/sdk.lock': ['aiohttp', 'requests', 'tomli', 'tomlkit'],
  'apps/agent/runner/runyard_runner/flash.lock': FLASH_IMPORTS,
  // The same, for the default worker image.
  'docker/flash.lock': FLASH_IMPORTS,
  // What serves HTTP in a worker of a load-balanced endpoint, where its image has none (server.py).
  'apps/agent/runner/runyard_runner/server.lock': ['uvicorn', 'websockets', 'fastapi', 'python-multipart'],
}

/** Added to a lock without its dependencies. */
export const ALONE: Readonly<Record<string, readonly string[]>> = { 'apps/agent/runner/runyard_runner/sdk.lock': ['runpod==2.0.0rc2'] }
