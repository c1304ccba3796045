/** Options of tar for archives that are the same whoever makes them, when and where. */

/** Files in order, of one time, and without the modes and the names of those who own them here. */
export const options = (epoch) => [
  "--sort=name",
  `--mtime=@${epoch}`,
  "--owner=0",
  "--group=0",
  "--numeric-owner",
  "--mode=u=rwX,go=rX,a-st",
  "--format=gnu"
]
