"""The timetable of a class: its rules. What people do with it is in `lms.cohorts.planning`."""
