import { defineConfig } from "vitest/config"

/** The suites that run the built plugin: they do so once for each of its forms. */
const forms = ["built/**/*.test.ts", "e2e/**/*.test.ts"]

const project = (name: string, include: ReadonlyArray<string>, exclude: ReadonlyArray<string> = []) => ({
  extends: true as const,
  test: { name, include: [...include], exclude: [...exclude], env: { PASSTHROUGH_FORM: name } }
})

export default defineConfig({
  cacheDir: "../node_modules/.vite",
  test: {
    root: import.meta.dirname,
    maxWorkers: "100%", // of the processors: the default leaves one of them idle
    // Against what hangs. Ten times what the slowest takes alone, for a machine may be busy with other work.
    testTimeout: 900_000,
    hookTimeout: 1_800_000,
    projects: [
      project("script", ["**/*.test.ts"], ["standalone/**", "e2e/daemonset.test.ts"]),
      project("standalone", [...forms, "standalone/**/*.test.ts"], [
        "built/OldNode.test.ts", // that form needs no Node.js
        "e2e/{image,release}.test.ts", // they have both forms in them
        "e2e/report.test.ts", // the page is the same in both forms
        "e2e/doctor*.test.ts" // many networks, of which both forms say the same
      ])
    ]
  }
})
