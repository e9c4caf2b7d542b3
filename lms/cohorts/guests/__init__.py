"""Guest speakers: the rules. What they do is in `lms.cohorts.speakers`."""
