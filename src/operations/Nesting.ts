/**
 * Which run started which. Records name their own parents and cannot be trusted, so the work is linear in their number.
 */

/** How deep runs are nested. A deeper run stands beside its starter. */
export const deepest = 8

/** Where a run stands. */
interface Place<Run> {
  /** The run that contains it; undefined for a run of the chain itself. */
  readonly home: Run | undefined
  readonly depth: number
}

const top = { home: undefined, depth: 0 }

/**
 * Finds the run that contains each run; undefined for a run of the chain itself. `around` gives the starter of a run,
 * if known. Runs that started each other in a circle are not nested.
 */
export const homes = <Run>(
  runs: Iterable<Run>,
  around: (run: Run) => Run | undefined
): (run: Run) => Run | undefined => {
  const places = new Map<Run, Place<Run>>()
  for (const run of runs) {
    const way: Array<Run> = []
    const onWay = new Set<Run>()
    let at: Run | undefined = run
    while (at !== undefined && !places.has(at) && !onWay.has(at)) {
      way.push(at)
      onWay.add(at)
      at = around(at)
    }
    if (at !== undefined && onWay.has(at)) { for (const one of way.splice(way.indexOf(at))) places.set(one, top) }
    for (let one = way.pop(); one !== undefined; one = way.pop()) {
      const starter = around(one)
      const place = starter === undefined ? undefined : places.get(starter)
      if (starter === undefined || place === undefined) places.set(one, top)
      else if (place.depth < deepest) places.set(one, { home: starter, depth: place.depth + 1 })
      else places.set(one, place)
    }
  }
  return (run) => places.get(run)?.home
}
