"""Looking at an instance's traffic and host every minute, and telling people what is unusual."""
