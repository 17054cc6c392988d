"""How a host is, in one screen: what runs, what is new enough, and what is not as it should be."""
