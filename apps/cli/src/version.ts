// One version for the whole repository: the root's package.json, inlined into the bundle.
import root from '../../../package.json' with { type: 'json' }

export const VERSION = root.version
