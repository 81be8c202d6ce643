/** Thrown when the laboratory itself cannot do what it should: no result follows from that, good or bad. */
export class LaboratoryError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'LaboratoryError'
  }
}
