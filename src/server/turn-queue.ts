/** Connections with more to do than one turn allows, served one turn each, between which the event loop runs. */
export interface Turn {
  takeTurn(): void
}

export class TurnQueue {
  #waiting: Turn[] = []
  #scheduled = false

  add(turn: Turn): void {
    this.#waiting.push(turn)
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(this.#round)
  }

  readonly #round = (): void => {
    this.#scheduled = false
    const turns = this.#waiting
    this.#waiting = []
    for (const turn of turns) turn.takeTurn()
  }
}
