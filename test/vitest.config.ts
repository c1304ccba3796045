import { defineConfig } from "vitest/config"

export default defineConfig({
  cacheDir: "../node_modules/.vite",
  test: {
    root: new URL(".", import.meta.url).pathname,
    include: ["**/*.test.ts"],
    testTimeout: 30_000,
    hookTimeout: 120_000
  }
})
