// Secrets that the unit hands over as files (systemd's LoadCredential).

module.exports = { read, FEWEST_CHARACTERS: 32 }

// The text of the file NAME without a line's end, or "" when there is none. Read per request:
// systemd replaces no credential of a running unit, but whoever runs PocketBase by hand may.
function read(name) {
  const folder = $os.getenv("CREDENTIALS_DIRECTORY")
  if (!folder) {
    return ""
  }
  try {
    return toString($os.readFile(folder + "/" + name)).replace(/[\r\n]+$/, "")
  } catch (_) {
    return "" // no file, no entry
  }
}
