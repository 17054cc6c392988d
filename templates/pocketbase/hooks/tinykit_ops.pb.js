/// <reference path="../pb_data/types.d.ts" />
//
// Routes that tinykit-ops adds to PocketBase. Works on 0.23.4 and later.
//
//   POST /api/tinykit-ops/snapshot        start a copy of the database: 202 {"id"}, 409 busy
//   GET  /api/tinykit-ops/snapshot/ID     how it goes: {"state": running | done | failed, ...}
//   GET  /api/tinykit-ops/judge?need=…    may this caller pass a gate? 204, 401 or 403
//   GET  /api/tinykit-ops/limit/NAME      204, or 429 by PocketBase's limiter and its rule for this
//   GET  /api/tinykit-ops/tls-ask?domain=…   may it have a certificate? 200, 404 or 429
//
// Every route wants the secret header X-Tinykit-Ops-Token. A call from loopback proves nothing
// here: tinykit's open proxy speaks from loopback too.
//
// PocketBase runs each handler in a context of its own that sees nothing of this file, which is
// why every one of them starts with require(). The edge asks with every request, so that the
// answers that pass are kept out of PocketBase's activity log.

routerAdd("POST", "/api/tinykit-ops/snapshot", (e) => {
  return require(`${__hooks}/tinykit_ops/snapshot.js`).start(e)
})

routerAdd("GET", "/api/tinykit-ops/snapshot/{id}", (e) => {
  return require(`${__hooks}/tinykit_ops/snapshot.js`).tell(e)
})

routerAdd(
  "GET",
  "/api/tinykit-ops/judge",
  (e) => {
    return require(`${__hooks}/tinykit_ops/judge.js`).judge(e)
  },
  $apis.skipSuccessActivityLog(),
)

// A call that has come so far is within the limit: the limiter stands before every route.
routerAdd(
  "GET",
  "/api/tinykit-ops/limit/{name}",
  (e) => {
    const known = ["writes", "proxied", "logins", "streams"].includes(e.request.pathValue("name"))
    const allowed = require(`${__hooks}/tinykit_ops/guard.js`).allowed(e)
    return e.noContent(allowed ? (known ? 204 : 404) : 403)
  },
  $apis.skipSuccessActivityLog(),
)

routerAdd(
  "GET",
  "/api/tinykit-ops/tls-ask",
  (e) => {
    return require(`${__hooks}/tinykit_ops/tls_ask.js`).ask(e)
  },
  $apis.skipSuccessActivityLog(),
)

onRecordAuthWithPasswordRequest(
  (e) => {
    require(`${__hooks}/tinykit_ops/refusals.js`).watch(e)
  },
  "users",
  "_superusers",
)

// Fires at login and at every refresh.
onRecordAuthRequest((e) => {
  require(`${__hooks}/tinykit_ops/account.js`).remember(e)
  e.next()
}, "users")

// A crash or restart in the middle of a snapshot leaves half a file: nobody may mistake it.
onBootstrap((e) => {
  e.next()
  require(`${__hooks}/tinykit_ops/snapshot.js`).clearInterrupted()
})

// The instance moves, or has moved: see the file. The hooks of requests are there for the answer
// (PocketBase 0.23 wraps what the others throw); those of records see every way to write one.
onRecordCreateRequest((e) => {
  require(`${__hooks}/tinykit_ops/moved.js`).refuseRecord(e)
  e.next()
})
onRecordCreate((e) => {
  require(`${__hooks}/tinykit_ops/moved.js`).refuseRecord(e)
  e.next()
})
onCollectionCreate((e) => {
  require(`${__hooks}/tinykit_ops/moved.js`).refuse()
  e.next()
})
onRecordUpdateRequest((e) => {
  require(`${__hooks}/tinykit_ops/moved.js`).refuseRecord(e)
  e.next()
})
onRecordUpdate((e) => {
  require(`${__hooks}/tinykit_ops/moved.js`).refuseRecord(e)
  e.next()
})
onCollectionUpdate((e) => {
  require(`${__hooks}/tinykit_ops/moved.js`).refuse()
  e.next()
})
onRecordDeleteRequest((e) => {
  require(`${__hooks}/tinykit_ops/moved.js`).refuseRecord(e)
  e.next()
})
onRecordDelete((e) => {
  require(`${__hooks}/tinykit_ops/moved.js`).refuseRecord(e)
  e.next()
})
onCollectionDelete((e) => {
  require(`${__hooks}/tinykit_ops/moved.js`).refuse()
  e.next()
})
onSettingsUpdateRequest((e) => {
  require(`${__hooks}/tinykit_ops/moved.js`).refuse()
  e.next()
})
