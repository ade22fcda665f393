// Settings of releases and of the images on hosts (ADR 59), and of the Pythons of deployed apps (ADR 65).
import { z } from 'zod'
import { keepDays, text, waitS } from './setting-kinds.ts'

export const ImagesConfig = z.object({
  pullsAtOnce: z.coerce
    .number()
    .int()
    .min(1)
    .default(2)
    .describe('images that one host pulls at the same time before a job needs them; a worker’s start does not wait for them'),
  keepFreeBytes: z.coerce
    .number()
    .int()
    .min(0)
    .default(5 * 1024 * 1024 * 1024)
    .describe('a host whose disk of images has less free pulls none, and a pull that gets there is stopped; 0: no limit'),
  keepUnusedDays: keepDays(0)
    .default(14)
    .describe('days that an image stays on a host when no endpoint and no container uses it; only of images that Runyard pulled'),
  keepUnusedBytes: z.coerce
    .number()
    .int()
    .min(0)
    .default(50 * 1024 * 1024 * 1024)
    .describe('what such images of one host may take together; beyond it the least recently used go first'),
})

export const ReleasesConfig = z.object({
  rollBack: z
    .union([z.boolean(), z.stringbool()], { error: 'allowed is true or false' })
    .default(false)
    .describe('a release of which no worker has started in three rounds is rolled back to the last one that did; else it is only reported'),
  replacePercent: z.coerce
    .number()
    .min(1)
    .max(100)
    .default(10)
    .describe(
      'share of an endpoint’s maximum, at least one, of ready old workers that are replaced at a time after a save; the others take jobs until their turn',
    ),
})

const PythonsConfig = z
  .record(z.string().regex(/^3\.\d+$/, 'write a version as 3.12'), z.string().min(1))
  .default({})
  .describe('Python version → interpreter of a process host for deployed apps of that version; default: python3.12 and so on from the PATH')

const DefaultImagesConfig = z
  .record(z.string().regex(/^(cpu|gpu)$|^((cpu|gpu)-)?py3\.\d+$/, 'write cpu, gpu, py3.12 or gpu-py3.12'), z.string().min(1))
  .default({})
  .describe('cpu, gpu, py3.12 or gpu-py3.12 → worker image in place of defaultImage for such images of Runpod, e.g. gpu: one with torch')

const DefaultImageBase = text()
  .optional()
  .describe('base image of runyard/worker, best by digest, e.g. python:3.12-slim@sha256:…; default: python:3.12-slim, else Debian')

const DependencyLimitConfig = waitS()
  .int()
  .default(300)
  .describe('how long the installation of a job’s dependencies may take; then it is stopped and the job fails')

const DependencyCacheConfig = z.coerce
  .number()
  .int()
  .min(0)
  .default(20 * 1024 * 1024 * 1024)
  .describe('what the packages may take that the workers of one owner keep on a Docker host; beyond it they are removed; 0: none are kept')

/** Settings of their own name. */
export const IMAGE_SETTINGS = {
  defaultImageBase: DefaultImageBase,
  defaultImages: DefaultImagesConfig,
  pythons: PythonsConfig,
  dependencyLimitS: DependencyLimitConfig,
  dependencyCacheBytes: DependencyCacheConfig,
}
