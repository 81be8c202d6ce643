/** The ways of keeping locks: one file each. */
export {}
