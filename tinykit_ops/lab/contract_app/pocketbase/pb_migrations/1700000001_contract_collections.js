/// <reference path="../pb_data/types.d.ts" />

// The collections that tinykit makes: the same names, fields and rules ("any account may").

migrate(
  (app) => {
    const anyAccount = "@request.auth.id != ''";
    const rules = {
      listRule: anyAccount,
      viewRule: anyAccount,
      createRule: anyAccount,
      updateRule: anyAccount,
      deleteRule: anyAccount,
    };
    const text = (name, max) => ({ name, type: "text", ...(max ? { max } : {}) });
    const json = (name) => ({ name, type: "json" });
    const files = (name, maxSelect) => ({ name, type: "file", maxSelect, maxSize: 0 });

    app.save(
      new Collection({
        name: "_tk_projects",
        type: "base",
        fields: [
          text("name"),
          text("domain"),
          text("frontend_code", 10000000),
          text("backend_code", 10000000),
          text("custom_instructions", 1000000),
          json("design"),
          json("content"),
          json("snapshots"),
          json("agent_chat"),
          json("data"),
          files("assets", 1000),
          json("settings"),
          files("published_html", 1),
          { ...text("kit"), required: true },
        ],
        ...rules,
      }),
    );

    app.save(
      new Collection({
        name: "_tk_settings",
        type: "base",
        fields: [
          {
            name: "id",
            type: "text",
            primaryKey: true,
            required: true,
            min: 0,
            max: 0,
            pattern: "^[a-z0-9_]+$",
          },
          json("value"),
        ],
        ...rules,
      }),
    );

    app.save(
      new Collection({
        name: "_tk_kits",
        type: "base",
        fields: [
          { ...text("name"), required: true },
          text("icon"),
          text("builder_theme_id"),
          { name: "created", type: "autodate", onCreate: true, onUpdate: false },
          { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
        ],
        ...rules,
      }),
    );
  },
  (app) => {
    for (const name of ["_tk_kits", "_tk_settings", "_tk_projects"]) {
      app.delete(app.findCollectionByNameOrId(name));
    }
  },
);
