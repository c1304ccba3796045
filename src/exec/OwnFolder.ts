/** The names in the folder that we have among the plugins that we stand around. */

/** The folder itself, in the folder of the plugins. */
export const ownFolder = ".passthrough"

/** Our executable, which the stubs in the places of the plugins name as their interpreter. */
export const executable = "passthrough"

/** Our fields, as a network configuration has them. */
export const config = "config.json"

/** The folder with the plugins themselves, by their names. */
export const plugins = "plugins"

/** The folder of what is on its way to another place. */
export const staged = "staged"
