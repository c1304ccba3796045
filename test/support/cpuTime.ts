/** How long something takes, whatever else the machine does. */

/** The time that processors spent on this process meanwhile, in milliseconds. */
export const of = (run: () => unknown): number => {
  const before = process.cpuUsage()
  run()
  const { system, user } = process.cpuUsage(before)
  return (user + system) / 1000
}
