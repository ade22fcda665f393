// Which of the free GPUs of a host a worker gets. Several: those with the fastest links between them; the worst link counts first, because collective work runs
// at its speed. One: the one that takes the least from later workers with several.
import type { Gpu, HostInventory } from '@runyard/schema'

type Links = NonNullable<HostInventory['links']>

/** Above this, the number of subsets grows too large to try them all. No host has more. */
const MOST_GPUS = 16

/** `gpus` are of one model. @returns the first `count` of them where nothing is known about links. */
export function bestLinked(gpus: readonly Gpu[], count: number, links: Links = []): readonly Gpu[] {
  const first = gpus.slice(0, count)
  if (links.length === 0 || gpus.length <= count || gpus.length > MOST_GPUS) return first
  const scoreOf = createScores(links)
  let best: readonly Gpu[] = first
  let bestScore: Score | undefined
  for (const chosen of subsets(gpus, count)) {
    const score = rate(chosen, gpus, scoreOf)
    if (bestScore !== undefined && !isBetter(score, bestScore)) continue
    best = chosen
    bestScore = score
  }
  return best
}

type Score = readonly [worst: number, sum: number, lost: number]

/** One card alone has no worst link: Infinity − Infinity is NaN, and the sums decide. */
function isBetter([worst, sumOf, lost]: Score, [worst2, sum2, lost2]: Score): boolean {
  return (worst - worst2 || sumOf - sum2 || lost - lost2) > 0
}

function rate(chosen: readonly Gpu[], gpus: readonly Gpu[], scoreOf: (a: Gpu, b: Gpu) => number): Score {
  const inside = pairs(chosen).map(([a, b]) => scoreOf(a, b))
  const rest = gpus.filter((gpu) => !chosen.includes(gpu))
  const cut = chosen.flatMap((gpu) => rest.map((other) => scoreOf(gpu, other)))
  return [Math.min(...inside), sum(inside), -sum(cut)]
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

function createScores(links: Links): (a: Gpu, b: Gpu) => number {
  const scores = new Map(links.map(({ from, to, score }) => [`${from} ${to}`, score]))
  return (a, b) => scores.get(`${a.uuid} ${b.uuid}`) ?? scores.get(`${b.uuid} ${a.uuid}`) ?? 0
}

const pairs = <T>(items: readonly T[]): readonly (readonly [T, T])[] =>
  items.flatMap((item, at) => items.slice(at + 1).map((other) => [item, other] as const))

/** In the order of `items`. */
function* subsets<T>(items: readonly T[], count: number): Generator<readonly T[]> {
  if (count === 0) {
    yield []
    return
  }
  for (const [at, item] of items.entries()) {
    if (items.length - at < count) return
    for (const rest of subsets(items.slice(at + 1), count - 1)) yield [item, ...rest]
  }
}
