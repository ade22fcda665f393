// The Python package index of this machine, as a pip.conf for a build. A file, because an index's URL may contain a password, and build arguments and
// variables would be visible in the image's history or environment.

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
