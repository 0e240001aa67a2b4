"""Every sentence that a person reads: values and codes in, text out, in the reader's language. Knows no service."""
