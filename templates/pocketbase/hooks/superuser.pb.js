/// <reference path="../pb_data/types.d.ts" />
//
// `pocketbase tinykit-ops-superuser`: make the superuser, or give it its password, from files.
//
// PocketBase's own `superuser upsert` takes the password as an argument, which every process of the
// host can read. The unit runs this one before the server starts, so that a first start never
// prints an install link, and that a changed password holds from the next start on. It changes
// nothing, and ends no session, when the password is the wanted one already.

$app.rootCmd.addCommand(
  new Command({
    use: "tinykit-ops-superuser",
    short: "Make the superuser, or give it its password, from files (tinykit-ops)",
    run: () => {
      const email = $os.getenv("TINYKIT_OPS_SUPERUSER_EMAIL")
      const file = $os.getenv("CREDENTIALS_DIRECTORY") + "/superuser-password"
      const password = toString($os.readFile(file)).replace(/[\r\n]+$/, "")
      let record
      try {
        record = $app.findAuthRecordByEmail("_superusers", email)
        if (record.validatePassword(password)) return
      } catch (_) {
        record = new Record($app.findCollectionByNameOrId("_superusers"))
        record.setEmail(email)
      }
      record.setPassword(password)
      $app.save(record)
    },
  }),
)
