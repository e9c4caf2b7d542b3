"""Words of the field in plain language, and where lessons use one without explaining it."""
