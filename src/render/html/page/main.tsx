/**
 * The page of a report. It uses Preact, a library of 4 KB that draws only what changed, inserts texts only as texts,
 * and needs no inline script or style, so that a strict policy holds.
 */
import { render } from "preact"
import { App } from "./App.tsx"

const place = document.getElementById("page")
if (place !== null) {
  place.replaceChildren()
  render(<App />, place)
}
