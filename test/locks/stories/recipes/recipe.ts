/** The lock recipes that people published, each as faithful and small as it goes. */
import type { Client } from 'latchkey/client'

/** Where a process can always be held up, between one request and the next; named so that a test can wait for it. */
export type Step = (name: string) => Promise<void>

export interface Recipe {
  /** True when the caller believes that it holds the lock. */
  acquire(): Promise<boolean>
  release(): Promise<void>
}

export type MakeRecipe = (cache: Client<string>, key: string, step: Step) => Recipe
