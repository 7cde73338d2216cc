"""Published files, read as published, into observations; no room below knows what a file looks like."""
