/** The pipeline and the live layer of its services. */
export { layer } from "./plugin/Live.ts"
export { Failed, main } from "./plugin/Passthrough.ts"
