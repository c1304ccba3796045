/** The names in our own folder inside a folder of plugins. */

/** The folder itself. */
export const ownFolder = ".passthrough"

/** Our executable. The stubs that replace plugins name it as their interpreter. */
export const executable = "passthrough"

/** The fields of our configuration, in the same format as in a network configuration. */
export const config = "config.json"

/** The folder of the wrapped plugins, by their names. */
export const plugins = "plugins"

/** The folder of files that are about to be moved into place. */
export const staged = "staged"
