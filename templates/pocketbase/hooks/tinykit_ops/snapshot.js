// A consistent copy of data.db, written by PocketBase itself with VACUUM INTO.
//
// No other process may open a live PocketBase's database: after a built-in backup it holds no
// locks on the file any more, and a second process can crash it or lose committed records.
//
// The folder `running` is the lock (mkdir is atomic) and holds the file while it grows; only a
// finished copy is renamed to ID.db.

const MOST = 100 // snapshots remembered until the next restart
const KEY = "tinykitOpsSnapshots"

module.exports = { start, tell, clearInterrupted }

// POST: answers first and works afterwards. There are no background tasks in this JavaScript, and
// a request ends after five minutes, so the whole answer is sent and flushed; the handler then
// goes on alone while the caller polls.
function start(e) {
  if (!require(`${__hooks}/tinykit_ops/guard.js`).allowed(e)) {
    return refuse(e, 403, "The secret header is missing or wrong.")
  }
  const folder = snapshotFolder()
  if (!folder) {
    return refuse(e, 503, "TINYKIT_OPS_SNAPSHOTS names no folder.")
  }
  try {
    $os.mkdir(running(folder), 0o700)
  } catch (error) {
    return $os.readDir(folder).some((entry) => entry.name() === "running")
      ? refuse(e, 409, "A snapshot is being taken.")
      : refuse(e, 503, "Cannot write to the snapshot folder: " + error)
  }
  const id = $security.randomStringWithAlphabet(20, "abcdefghijklmnopqrstuvwxyz0123456789")
  try {
    remember(id, { state: "running" })
    answerAtOnce(e, 202, { id: id })
    takeSnapshot(folder, id)
    remember(id, { state: "done", file: id + ".db" })
  } catch (error) {
    remember(id, { state: "failed", error: String(error) })
  } finally {
    $os.removeAll(running(folder))
  }
}

// GET: the state of one snapshot.
function tell(e) {
  if (!require(`${__hooks}/tinykit_ops/guard.js`).allowed(e)) {
    return refuse(e, 403, "The secret header is missing or wrong.")
  }
  const found = remembered()[e.request.pathValue("id")]
  return found ? e.json(200, found) : refuse(e, 404, "No such snapshot since the last restart.")
}

// At start: half a copy of an earlier life.
function clearInterrupted() {
  const folder = snapshotFolder()
  if (folder) {
    $os.removeAll(running(folder))
  }
}

function takeSnapshot(folder, id) {
  const partial = running(folder) + "/data.db"
  readConnection().newQuery("VACUUM INTO {:path}").bind({ path: partial }).execute()
  $os.rename(partial, folder + "/" + id + ".db")
}

// The connection that does not hold up writers. Since concurrentDB() exists, db() sends every
// VACUUM to the one write connection; before, db() was the pool of many connections itself.
function readConnection() {
  return typeof $app.concurrentDB === "function" ? $app.concurrentDB() : $app.db()
}

// A complete answer with its length told, so that the caller need not wait for the handler's end.
function answerAtOnce(e, status, body) {
  const text = JSON.stringify(body)
  const header = e.response.header()
  header.set("Content-Type", "application/json")
  header.set("Content-Length", String(text.length))
  header.set("Connection", "close") // the connection stays busy until the handler ends
  e.response.writeHeader(status)
  e.response.write(text)
  e.flush()
}

function refuse(e, status, message) {
  return e.json(status, { status: status, message: message })
}

function remember(id, state) {
  const all = remembered()
  all[id] = state
  const ids = Object.keys(all)
  ids.slice(0, Math.max(0, ids.length - MOST)).forEach((old) => delete all[old])
  $app.store().set(KEY, JSON.stringify(all))
}

// Handlers share nothing but the application's store; text passes through it unharmed.
function remembered() {
  return JSON.parse($app.store().get(KEY) || "{}")
}

function snapshotFolder() {
  return $os.getenv("TINYKIT_OPS_SNAPSHOTS").replace(/\/+$/, "")
}

function running(folder) {
  return folder + "/running"
}
