// Completes dist/ after the bundle: the Python runner and vendored cloudpickle, so that dist/ can travel alone.
import { cpSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { vendorCloudpickle } from './vendor.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const runner = join(root, 'dist', 'runner')

rmSync(join(runner, 'runyard_runner'), { recursive: true, force: true })
cpSync(join(root, 'runner'), runner, { recursive: true, filter: (source) => basename(source) !== '__pycache__' })
vendorCloudpickle()
