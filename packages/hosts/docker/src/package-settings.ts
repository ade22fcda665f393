// Where this machine takes its Python packages from, as a pip.conf for a build. A file, since an index's URL may hold a password: build arguments
// and variables would stand in the image's history or in its environment.

export type Environment = Readonly<Record<string, string | undefined>>

/** Undefined where nothing is set. uv's variables count where pip's are not set, since either may be all that an operator has. */
export function pipConfig(env: Environment): string | undefined {
  const settings = [
    ['index-url', env['PIP_INDEX_URL'] ?? env['UV_DEFAULT_INDEX'] ?? env['UV_INDEX_URL']],
    ['extra-index-url', env['PIP_EXTRA_INDEX_URL']],
    ['trusted-host', env['PIP_TRUSTED_HOST']],
  ] as const
  const lines = settings.flatMap(([key, value = '']) => {
    // Several values stand apart by spaces; a line of its own would be another setting.
    const words = value.split(/\s+/).filter((word) => word !== '')
    return words.length === 0 ? [] : [`${key} = ${words.join(' ')}`]
  })
  return lines.length === 0 ? undefined : `[global]\n${lines.join('\n')}\n`
}
