// Test support (fixtures, models, simulated parts) is in a `testing/` folder or in packages/testing. Production sources never import it, and a
// source that only tests import is test support, so it belongs there, too.
import { dirname, join, normalize } from 'node:path'

export interface SourceFile {
  /** Relative to the repository, e.g. `packages/core/src/plan.ts`. */
  readonly path: string
  readonly text: string
}

/** One sentence per violation. `entries` are the files that packages export and bundles start with. */
export function misplacedTestSupport(files: readonly SourceFile[], entries: ReadonlySet<string>): readonly string[] {
  const production = files.filter(({ path }) => !isTestFile(path))
  const imported = new Set(production.flatMap(importsOf))
  const wrongImports = production.flatMap((file) =>
    importsOf(file)
      .filter((target) => isTestFile(target) || /^(?:vitest|fast-check|@runyard\/testing)(?:$|\/)/.test(target))
      .map((target) => `${file.path} must not import ${target}, which is for tests`),
  )
  const onlyTested = production
    .filter(({ path }) => !imported.has(path) && !entries.has(path) && !path.endsWith('.d.ts'))
    .map(({ path }) => `${path} is imported by tests only: move it to a testing/ folder`)
  return [...wrongImports, ...onlyTested]
}

function isTestFile(path: string): boolean {
  return path.endsWith('.test.ts') || path.split('/').includes('testing')
}

function importsOf({ path, text }: SourceFile): readonly string[] {
  const named = [...text.matchAll(/(?:from |import\(|import )'([^']+)'/g)].map(([, target = '']) => target)
  return named.map((target) => (target.startsWith('.') ? normalize(join(dirname(path), target)) : target))
}
