"""What goes to Patreon and what comes back, without I/O: requests, documents, errors, signatures. Pure by folder."""
