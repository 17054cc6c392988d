"""How fast the watch reads the edge's log, beside GoAccess, and in how much memory."""
