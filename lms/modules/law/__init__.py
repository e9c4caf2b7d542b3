"""Law in the content: how it is cited, what is known of it, and statements known to be wrong."""
