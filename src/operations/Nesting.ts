/** Which run started which. Records say so themselves, and may say anything: the work grows with their number. */

/** How deep runs are put into one another. One that is deeper stands beside the run that started it. */
export const deepest = 8

/** Where a run stands. */
interface Place<Run> {
  /** The run that it stands in; undefined for one of a chain. */
  readonly home: Run | undefined
  readonly depth: number
}

const top = { home: undefined, depth: 0 }

/**
 * The run that each run stands in, undefined for those of a chain. `around` gives the run that started one, where that is
 * known. Of runs that started each other in a circle each stands for itself.
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
