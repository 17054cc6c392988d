// May the edge get a certificate for a name? Caddy asks on the first visit of an unlisted one.
//
// Names cost something (an authority gives so many a week), and whoever has an account can give a
// project any name: so only so many new ones a day. Names that were granted are remembered in a
// file, and are free as long as their project is published.

const MOST = 10000 // names remembered; the oldest are forgotten first

module.exports = { ask }

// 200, 404 (no such project, or not in use), or 429 (no more new names today).
function ask(e) {
  if (!require(`${__hooks}/tinykit_ops/guard.js`).allowed(e)) {
    return e.noContent(403)
  }
  const cap = Number($os.getenv("TINYKIT_OPS_TLS_NAMES_A_DAY")) || 0
  const name = e.request.url.query().get("domain").toLowerCase().replace(/\.$/, "")
  if (cap < 1 || !isPublicName(name) || !isPublished(name)) {
    return e.noContent(404)
  }
  return e.noContent(remembered()[name] !== undefined || grant(name, cap) ? 200 : 429)
}

// A host name of at least two labels that does not look like an address.
function isPublicName(name) {
  const label = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
  return name.length <= 253 && new RegExp(`^(${label}\\.)+[a-z](${label})$`).test(name)
}

// tinykit serves a project under its domain, and under `www.` before it; published is what has a
// built page.
function isPublished(name) {
  const found = new DynamicModel({ id: "" })
  try {
    $app
      .db()
      .newQuery(
        "SELECT id FROM _tk_projects WHERE published_html != '' " +
          "AND domain IN ({:name}, {:bare}) LIMIT 1",
      )
      .bind({ name: name, bare: name.replace(/^www\./, "") })
      .one(found)
  } catch (_) {
    return false // no such row
  }
  return found.id !== ""
}

// Whether the name may be added; it is, then. The transaction is the lock: PocketBase has one
// connection that writes, and two handlers would else read the same file.
function grant(name, cap) {
  let granted = false
  try {
    $app.runInTransaction(() => {
      const names = remembered()
      const today = new Date().toISOString().slice(0, 10)
      const fresh = Object.values(names).filter((day) => day === today).length
      if (names[name] === undefined && fresh < cap) {
        write({ ...names, [name]: today })
      }
      granted = names[name] !== undefined || fresh < cap
    })
  } catch (error) {
    console.error("tinykit-ops: cannot remember a name that wants a certificate: " + error)
    return false
  }
  return granted
}

// Name → the day it was granted. A file that cannot be read counts as none: the names would only
// be counted anew.
function remembered() {
  try {
    const names = JSON.parse(toString($os.readFile(file())))
    return names !== null && typeof names === "object" && !Array.isArray(names) ? names : {}
  } catch (_) {
    return {}
  }
}

function write(names) {
  const kept = Object.entries(names).slice(-MOST)
  $os.writeFile(file() + ".new", JSON.stringify(Object.fromEntries(kept)), 0o600)
  $os.rename(file() + ".new", file())
}

function file() {
  return $os.getenv("TINYKIT_OPS_TLS_NAMES")
}
