"""Another version of PocketBase, and the way back.

Up (`step`): a verified snapshot, the new binary tried on a copy of it, then stop, switch, start;
what does not stay well gives way to the old binary and the data from before. Back (`back`): the
binary and the data of that snapshot.
"""
