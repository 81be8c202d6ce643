/** What the laboratory with real processes can be told. */
export interface ProcessesOptions {
  /**
   * `host:port` of servers that others may use as well. Then nothing is done to them, and their keys begin with
   * `latchkey:torture:` and are deleted in the end. Default: servers of the laboratory's own, on this machine.
   */
  readonly servers?: readonly string[]
  /** Runs at a time. Default: as many as there are processors, twice; they mostly sleep. */
  readonly atOnce?: number
  /** URL of a module with a function `algorithmNamed`, which every participant loads. Default: our own. */
  readonly catalogue?: string
}
