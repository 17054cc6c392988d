"""What the files under `deploys/` share on the controller; nothing here runs on a host."""
