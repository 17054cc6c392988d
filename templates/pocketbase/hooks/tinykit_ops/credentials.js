// Secrets that the unit hands over as files (systemd's LoadCredential).

module.exports = { read, FEWEST_CHARACTERS: 32 }

// The text of the file NAME without a line's end, or "" when there is none. Read per request, so
// that tests and operators can replace a file. A variable may name another file.
function read(name) {
  const variable = "TINYKIT_OPS_" + name.toUpperCase().replace(/-/g, "_") + "_FILE"
  const folder = $os.getenv("CREDENTIALS_DIRECTORY")
  const path = $os.getenv(variable) || (folder && folder + "/" + name)
  if (!path) {
    return ""
  }
  try {
    return toString($os.readFile(path)).replace(/[\r\n]+$/, "")
  } catch (_) {
    return "" // no file, no entry
  }
}
