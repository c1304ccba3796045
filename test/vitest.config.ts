import * as Os from "node:os"
import { defineConfig } from "vitest/config"

/** The suites that run the built plugin or command: what the forms may do differently runs in both. */
const built = ["built/**/*.test.ts", "e2e/**/*.test.ts"]

/**
 * What both forms do alike: it runs in the form that starts sooner. In `e2e/commands.test.ts` the script does each of
 * these things once.
 */
const alike = [
  "built/Instrument.test.ts",
  "e2e/{changes,docs,doctor,doctorFix,doctorPackets,doctorRights,doctorRuntimes,gc,hostMetrics,instrument}.test.ts",
  "e2e/{leaks,leaksUnattended,matrix,replay,run,show,trace,watch,wrap}.test.ts"
]

const project = (name: string, include: ReadonlyArray<string>, exclude: ReadonlyArray<string>) => ({
  extends: true as const,
  test: { name, include: [...include], exclude: [...exclude], env: { PASSTHROUGH_FORM: name } }
})

export default defineConfig({
  cacheDir: "../node_modules/.vite",
  test: {
    root: import.meta.dirname,
    maxWorkers: Math.ceil(1.5 * Os.availableParallelism()), // more than processors, for many tests wait for a time
    // Against what hangs. Ten times what the slowest takes alone, for a machine may be busy with other work.
    testTimeout: 900_000,
    hookTimeout: 1_800_000,
    projects: [
      project("script", ["**/*.test.ts"], ["standalone/**", "e2e/daemonset.test.ts", ...alike]),
      project("standalone", [...built, "standalone/**/*.test.ts"], [
        "built/OldNode.test.ts", // that form needs no Node.js
        "e2e/{image,release}.test.ts", // they have both forms in them
        "e2e/report.test.ts" // the page is the same in both forms
      ])
    ]
  }
})
