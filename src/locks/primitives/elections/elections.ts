/** All elections in which one `Locks` has a part, so that closing it ends them in order. */
import { checkName } from '../../names.js'
import type { LockInfo } from '../../types.js'
import { tell, warn } from '../callback.js'
import { campaign, type Polls } from './campaign.js'
import { Candidate } from './candidate.js'
import {
  type CampaignOptions,
  campaignOf,
  type ElectOptions,
  type ObserveOptions,
  observationOf,
  platformOf,
} from './election-options.js'
import type { Leadership } from './leadership.js'
import { observe } from './observing.js'

export class Elections {
  readonly #polls: Polls
  readonly #candidates = new Set<Candidate>()
  readonly #leaderships = new Set<Leadership>()

  constructor(polls: Polls) {
    this.#polls = polls
  }

  elect(name: string, options: ElectOptions): Candidate {
    const platform = platformOf(options, this.#polls.defaults)
    const checked = checkName(name)
    this.#polls.closing.throwIfAborted()
    const candidate = new Candidate(this.#polls, checked, platform)
    this.#candidates.add(candidate)
    void candidate.ended.then(() => this.#candidates.delete(candidate))
    return candidate
  }

  async campaign(name: string, options: CampaignOptions): Promise<Leadership> {
    const wanted = campaignOf(options, this.#polls.defaults)
    const { onError = warn } = options
    const leadership = await campaign(this.#polls, checkName(name), wanted, (error) => tell(onError, error))
    const { closing } = this.#polls
    if (closing.aborted) {
      await leadership.resign()
      throw closing.reason
    }
    this.#leaderships.add(leadership)
    leadership.signal.addEventListener('abort', () => this.#leaderships.delete(leadership), { once: true })
    return leadership
  }

  observe(name: string, options: ObserveOptions): AsyncGenerator<LockInfo | undefined, void> {
    const { site, closing } = this.#polls
    return observe(site, { name: checkName(name), closing, ...observationOf(options) })
  }

  /** Tells all at once, and resolves when they have given back what they had. */
  async close(): Promise<void> {
    const candidates = Array.from(this.#candidates, (candidate) => candidate.stop())
    const leaderships = Array.from(this.#leaderships, (leadership) => leadership.resign())
    await Promise.all([...candidates, ...leaderships])
  }
}
