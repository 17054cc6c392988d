// While an instance moves to another host, and after that, the old one may be read and not written.
//
// `tinykit-ops migrate` says so with a file beside the data folder (not in it: it must not travel
// with the data). The rows by which PocketBase keeps logins are still written: nobody misses them.

const LOGINS = ["_superusers", "_authOrigins", "_externalAuths", "_mfas", "_otps"]
const UNAVAILABLE = 503

module.exports = { refuse, refuseRecord }

function refuseRecord(e) {
  if (!LOGINS.includes(e.record.collection().name)) {
    refuse()
  }
}

// A doubt counts as no: what is written here would be lost.
function refuse() {
  if (isThere($app.dataDir() + "/../moved")) {
    throw new ApiError(UNAVAILABLE, "This instance is being moved: it can be read, not written.")
  }
}

function isThere(path) {
  try {
    $os.readFile(path)
    return true
  } catch (error) {
    return !String(error).includes("no such file")
  }
}
