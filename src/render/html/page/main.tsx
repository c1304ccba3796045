/**
 * The page of a report. It is made with Preact: a library of 4 KB that draws what changed and nothing else, sets texts as
 * texts, and needs no inline script or style, so that a strict policy holds.
 */
import { render } from "preact"
import { App } from "./App.tsx"

const place = document.getElementById("page")
if (place !== null) {
  place.replaceChildren()
  render(<App />, place)
}
