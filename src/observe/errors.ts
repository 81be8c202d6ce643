/** What an error is called where there must be few names. */

/** The `code` of our errors and of Node's; undefined for what has none, such as most reasons of aborts. */
export function codeOf(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { code?: unknown }
  return typeof code === 'string' ? code : undefined
}
