/** The profile page: a value in the cache that two people change at once. Each change adds one line. */
import type { Client } from 'latchkey/client'
import type { Step } from './recipe.js'

export type Edit = (cache: Client<string>, key: string, line: string, step: Step) => Promise<void>

export const added = (profile: string | undefined, line: string) => `${profile ?? ''}${line}\n`

/** Read, modify, set: whoever sets last has not seen what the other has set. */
export const readModifySet: Edit = async (cache, key, line, step) => {
  const profile = await cache.get(key)
  await step('read')
  await cache.set(key, added(profile, line))
}

/** The repair: compare-and-swap, so and so many times, one right after the other, and then no word about it. */
export const threeTries: Edit = async (cache, key, line, step) => {
  for (let tries = 0; tries < 3; tries++) {
    const profile = await cache.gets(key)
    await step('read')
    if (profile === undefined) {
      if (await cache.add(key, added(undefined, line))) return
    } else if ((await cache.cas(key, added(profile.value, line), profile.cas)) === 'stored') return
  }
}

/** What this package has for it. */
export const update: Edit = async (cache, key, line, step) => {
  await cache.update(key, async (profile) => {
    await step('read')
    return added(profile, line)
  })
}

/** The same by hand: somebody else's change is seen, and begun again after. */
export const untilStored: Edit = async (cache, key, line, step) => {
  for (;;) {
    const profile = await cache.gets(key)
    await step('read')
    const stored =
      profile === undefined
        ? await cache.add(key, added(undefined, line))
        : (await cache.cas(key, added(profile.value, line), profile.cas)) === 'stored'
    if (stored) return
  }
}
